/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* CPU sampling: counts stacks of the target processes in the kernel; user space is sent the frames
 * of a stack once, when it is first seen. Also follows the target's forks. */
#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "callscope/abi/cpu.h"
#include "callscope/abi/python.h"
#include "callscope/abi/stats.h"
#include "common/process_events.bpf.h"
#include "common/stats.bpf.h"
#include "common/unwind.bpf.h"
#include "python/state.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct cs_cpu_config cs_config;

/* User space sets it when all is attached and clears it to stop. */
volatile __u32 cs_enabled;

/* Written here, read by user space. One element a reason, enum cs_stat. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CS_STAT_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} cs_stats SEC(".maps");

/* Processes that are sampled, by tgid. User space adds the first one; forks are added and removed
 * here. Far above the children that a profiled process has at one time. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u8);
} cs_targets SEC(".maps");

/* Samples by stack and thread, read by user space. The size is set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct cs_stack_key);
	__type(value, struct cs_stack_count);
} cs_stack_counts SEC(".maps");

/* Records to user space. The size is set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} cs_ring SEC(".maps");

/* The walk under way. A sampling event interrupts no other of its CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_unwind);
} cs_walks SEC(".maps");

/* The record under construction, as safe. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_stack_record);
} cs_scratch SEC(".maps");

/* Targets that run Python, by tgid. Written by user space; forks copy their parent's. Above the
 * children that a Python program has at one time. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct cs_python_process);
} cs_python_processes SEC(".maps");

/* The address of the interpreter's state of a thread, by tid: a hint, checked at each use. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} cs_python_threads SEC(".maps");

/* Code objects that user space was told of. One that is forgotten is told of again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct cs_python_code_key);
	__type(value, __u8);
} cs_python_codes SEC(".maps");

/* As cs_walks and cs_scratch, of Python frames. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_python_walk);
} cs_python_walks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_python_stack_record);
} cs_python_scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_python_code_record);
} cs_python_code_scratch SEC(".maps");

/* Stacks wait until user space looks, ten times a second: to wake it for each would cost more than
 * the sample. Not so long that the ring becomes full. */
static __always_inline __u64 cs_wakeup(void)
{
	__u64 waiting = bpf_ringbuf_query(&cs_ring, BPF_RB_AVAIL_DATA);

	return waiting > bpf_ringbuf_query(&cs_ring, BPF_RB_RING_SIZE) / 4 ? BPF_RB_FORCE_WAKEUP
									   : BPF_RB_NO_WAKEUP;
}

#include "python/stack.bpf.h"

static __always_inline bool cs_is_target(__u32 tgid)
{
	return bpf_map_lookup_elem(&cs_targets, &tgid) != NULL;
}

/* 64-bit hash over all frames of the record and those that python is the hash of; two stacks
 * collide with a chance of 2^-64. */
static __always_inline __u64 cs_hash_stack(const struct cs_stack_record *record, __u64 python)
{
	__u64 hash = 0x9e3779b97f4a7c15ull ^ record->n_kernel ^ (__u64)record->end << 32 ^
		     (__u64)record->left_out << 40 ^ python;
	__u32 n_frames = record->n_kernel + record->n_user;

	for (__u32 i = 0; i < CS_USER_FRAMES + CS_KERNEL_FRAMES; i++) {
		if (i >= n_frames)
			break;
		hash = (hash ^ record->frames[i]) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 32;
	}
	return hash;
}

static __always_inline void cs_report_missed_code(struct cs_unwind *walk, __u32 tgid)
{
	struct cs_missed_record record = {
	    .kind = CS_RECORD_MISSED,
	    .size = sizeof(record),
	    .tgid = tgid,
	    .addr = walk->missed,
	};

	if (walk->missed == 0 || !cs_report_missed(tgid, bpf_ktime_get_ns()))
		return;
	if (bpf_ringbuf_output(&cs_ring, &record, sizeof(record), BPF_RB_FORCE_WAKEUP))
		cs_count(&cs_stats, CS_STAT_EVENT_LOST);
}

/* Fills frames, their numbers and the end of the record. */
static __always_inline void cs_walk_stack(void *ctx, struct cs_unwind *walk,
					  struct cs_stack_record *record)
{
	int walked = cs_walk_interrupted(ctx, walk, (struct cs_user_frames *)record->frames);
	__u32 n_user = (__u32)walked >> 8;
	long bytes;

	record->end = walked & 0xff;
	record->left_out = walk->left_out;
	barrier_var(n_user); /* bounded in the register that is used */
	if (n_user > CS_USER_FRAMES)
		n_user = 0; /* never */
	record->n_user = n_user;
	record->n_kernel = 0;
	record->kernel_cut = 0;
	if (cs_interrupted_user(ctx))
		return;
	bytes = bpf_get_stack(ctx, &record->frames[n_user], CS_KERNEL_FRAMES * sizeof(__u64), 0);
	record->n_kernel = bytes < 0 ? 0 : bytes / sizeof(__u64);
	record->kernel_cut = record->n_kernel >= CS_KERNEL_FRAMES;
}

/* The Python half goes first: user space waits for none. */
static __always_inline bool cs_send_python(const struct cs_stack_key *key,
					   const struct cs_python_walk *walk,
					   struct cs_python_stack_record *record)
{
	__u32 n_frames = record->n_frames;

	if (walk->unsent || n_frames > CS_PYTHON_FRAMES)
		return false;
	record->kind = CS_RECORD_PYTHON_STACK;
	record->size = offsetof(struct cs_python_stack_record, frames) +
		       n_frames * sizeof(struct cs_python_frame);
	record->key = *key;
	barrier_var(n_frames);
	if (n_frames > CS_PYTHON_FRAMES)
		return false; /* never */
	if (bpf_ringbuf_output(&cs_ring, record,
			       offsetof(struct cs_python_stack_record, frames) +
				   n_frames * sizeof(struct cs_python_frame),
			       cs_wakeup()) == 0)
		return true;
	cs_count(&cs_stats, CS_STAT_RING_FULL);
	return false;
}

static __always_inline bool cs_send_stack(struct cs_stack_record *record)
{
	__u64 n_frames = record->n_kernel + record->n_user;
	__u64 size;

	if (n_frames > CS_USER_FRAMES + CS_KERNEL_FRAMES)
		return false; /* never */
	size = offsetof(struct cs_stack_record, frames) + n_frames * sizeof(__u64);
	record->kind = CS_RECORD_STACK;
	record->size = size;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	if (bpf_ringbuf_output(&cs_ring, record, size, cs_wakeup()) == 0)
		return true;
	cs_count(&cs_stats, CS_STAT_RING_FULL);
	return false;
}

static __always_inline void cs_send_sample(const struct cs_stack_key *key)
{
	struct cs_sample_record record = {
	    .kind = CS_RECORD_SAMPLE,
	    .size = sizeof(record),
	    .key = *key,
	    .t_ns = bpf_ktime_get_ns(),
	};

	if (bpf_ringbuf_output(&cs_ring, &record, sizeof(record), cs_wakeup()))
		cs_count(&cs_stats, CS_STAT_SAMPLE_LOST);
}

static __always_inline struct cs_stack_count *cs_count_of(const struct cs_stack_key *key)
{
	struct cs_stack_count first = {.count = 0};
	struct cs_stack_count *counted = bpf_map_lookup_elem(&cs_stack_counts, key);

	if (counted)
		return counted;
	bpf_map_update_elem(&cs_stack_counts, key, &first, BPF_NOEXIST);
	return bpf_map_lookup_elem(&cs_stack_counts, key);
}

/* NULL: the stack has no Python half. */
static __always_inline struct cs_python_stack_record *cs_python_half(void *ctx,
								     struct cs_unwind *registers,
								     struct cs_stack_record *stack,
								     struct cs_python_walk **walk)
{
	struct cs_python_stack_record *record;
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, zero = 0;
	const struct cs_python_process *process;

	process = bpf_map_lookup_elem(&cs_python_processes, &tgid);
	if (!process)
		return NULL;
	record = bpf_map_lookup_elem(&cs_python_scratch, &zero);
	*walk = bpf_map_lookup_elem(&cs_python_walks, &zero);
	if (!record || !*walk)
		return NULL; /* never */
	(*walk)->process = *process;
	return cs_python_walk_stack(ctx, registers, stack, *walk, record) ? record : NULL;
}

static __always_inline void cs_sample_stack(void *ctx, struct cs_unwind *walk,
					    struct cs_stack_record *record, __u64 pid_tgid)
{
	struct cs_python_stack_record *python = NULL;
	struct cs_python_walk *python_walk = NULL;
	struct cs_stack_count *counted;

	cs_walk_stack(ctx, walk, record);
	cs_report_missed_code(walk, pid_tgid >> 32);
	if (cs_config.python)
		python = cs_python_half(ctx, walk, record, &python_walk);
	record->key.hash = cs_hash_stack(record, python ? python_walk->hash : 0);
	record->key.tgid = pid_tgid >> 32;
	record->key.tid = (__u32)pid_tgid;
	counted = cs_count_of(&record->key);
	if (!counted) {
		cs_count(&cs_stats, CS_STAT_STACK_TABLE_FULL);
		return;
	}
	__sync_fetch_and_add(&counted->count, 1);
	if (!counted->sent && (!python || cs_send_python(&record->key, python_walk, python)) &&
	    cs_send_stack(record))
		counted->sent = 1;
	if (cs_config.log_samples)
		cs_send_sample(&record->key);
}

SEC("perf_event")
int cs_sample_cpu(void *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct cs_stack_record *record;
	struct cs_unwind *walk;
	__u32 zero = 0;

	if (!cs_enabled)
		return 0;
	cs_count(&cs_stats, CS_STAT_TICKS);
	if (!cs_is_target(pid_tgid >> 32))
		return 0;
	cs_count(&cs_stats, CS_STAT_SAMPLES);
	record = bpf_map_lookup_elem(&cs_scratch, &zero);
	walk = bpf_map_lookup_elem(&cs_walks, &zero);
	if (record && walk)
		cs_sample_stack(ctx, walk, record, pid_tgid);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(cs_fork_follow, struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_tgid = parent->tgid, tgid = child->tgid;
	__u8 present = 1;

	if (!cs_config.follow_children || tgid == parent_tgid || !cs_is_target(parent_tgid))
		return 0;
	if (bpf_map_update_elem(&cs_targets, &tgid, &present, BPF_ANY))
		cs_count(&cs_stats, CS_STAT_TARGETS_FULL);
	cs_code_forked(parent_tgid, tgid);
	if (cs_config.python)
		cs_python_forked(parent_tgid, tgid);
	cs_send_process(&cs_ring, &cs_stats, CS_RECORD_FORK, tgid, parent_tgid);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(cs_exec_follow, struct task_struct *task)
{
	__u32 tgid = task->tgid;

	if (!cs_is_target(tgid))
		return 0;
	cs_code_executed(tgid);
	if (cs_config.python)
		bpf_map_delete_elem(&cs_python_processes, &tgid);
	cs_send_process(&cs_ring, &cs_stats, CS_RECORD_EXEC, tgid, 0);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(cs_exit_follow, struct task_struct *task)
{
	__u32 tgid = task->tgid;

	if (!cs_is_last_thread(task) || !cs_is_target(tgid))
		return 0;
	bpf_map_delete_elem(&cs_targets, &tgid);
	if (cs_config.python)
		bpf_map_delete_elem(&cs_python_processes, &tgid);
	cs_send_process(&cs_ring, &cs_stats, CS_RECORD_EXIT, tgid, 0);
	return 0;
}
