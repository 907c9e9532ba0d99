/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* CPU sampling: counts stacks of the target processes in the kernel; user space is sent the frames
 * of a stack once, when it is first seen. Also follows the target's forks. */
#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "callscope/abi/cpu.h"
#include "common/process_events.bpf.h"
#include "stacks/count.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct cs_cpu_config cs_config;

/* User space sets it when all is attached and clears it to stop. */
volatile __u32 cs_enabled;

/* Samples by stack and thread, read by user space. The size is set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct cs_stack_key);
	__type(value, struct cs_stack_count);
} cs_stack_counts SEC(".maps");

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

static __always_inline void cs_sample_stack(void *ctx, struct cs_unwind *walk,
					    struct cs_stack_record *record)
{
	int walked = cs_walk_interrupted(ctx, walk, (struct cs_user_frames *)record->frames);
	struct cs_python_half python = {};

	cs_set_user_half(record, walk, walked);
	if (!cs_interrupted_user(ctx))
		cs_add_kernel_half(ctx, record);
	cs_identify_stack(ctx, walk, record, cs_config.python, &python);
	record->kind = CS_RECORD_STACK;
	if (!cs_count_stack(&cs_stack_counts, record, &python)) {
		cs_count(&cs_stats, CS_STAT_STACK_TABLE_FULL);
		return;
	}
	if (cs_config.log_samples)
		cs_send_sample(&record->key);
}

SEC("perf_event")
int cs_sample_cpu(void *ctx)
{
	struct cs_stack_record *record;
	struct cs_unwind *walk;
	__u32 zero = 0;

	if (!cs_enabled)
		return 0;
	cs_count(&cs_stats, CS_STAT_TICKS);
	if (!cs_in_targets(bpf_get_current_pid_tgid() >> 32))
		return 0;
	cs_count(&cs_stats, CS_STAT_SAMPLES);
	record = bpf_map_lookup_elem(&cs_scratch, &zero);
	walk = bpf_map_lookup_elem(&cs_walks, &zero);
	if (record && walk)
		cs_sample_stack(ctx, walk, record);
	return 0;
}

/* Stands where the interpreter frees a code object. */
SEC("?kprobe")
int cs_python_freed(void *ctx)
{
	cs_python_code_goes();
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(cs_fork_follow, struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_tgid = parent->tgid, tgid = child->tgid;

	if (!cs_config.follow_children || tgid == parent_tgid || !cs_in_targets(parent_tgid))
		return 0;
	cs_follow(tgid);
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

	if (!cs_in_targets(tgid))
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

	if (!cs_is_last_thread(task) || !cs_in_targets(tgid))
		return 0;
	bpf_map_delete_elem(&cs_targets, &tgid);
	if (cs_config.python)
		bpf_map_delete_elem(&cs_python_processes, &tgid);
	cs_send_process(&cs_ring, &cs_stats, CS_RECORD_EXIT, tgid, 0);
	return 0;
}
