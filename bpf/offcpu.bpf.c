/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Off-CPU stacks: how long the threads of the target processes wait, by the stack that they wait
 * in. The stack is taken when the thread leaves its CPU, for only then its memory is at hand; the
 * time is known when it comes back. Targets and records are those of the cpu object, which is
 * loaded first. */
#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "callscope/abi/off_cpu.h"
#include "stacks/take.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define CS_DEAD 0x80 /* task_struct.__state of a thread that leaves for ever */

const volatile struct cs_off_cpu_config cs_config;

/* User space sets it when all is attached and clears it to stop. */
volatile __u32 cs_enabled;

/* Threads that wait, by tid; read by user space at the end. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CS_WAITING_THREADS);
	__type(key, __u32);
	__type(value, struct cs_wait);
} cs_waiting SEC(".maps");

/* Waits by stack and thread, read by user space. The size is set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct cs_stack_key);
	__type(value, struct cs_wait_time);
} cs_wait_times SEC(".maps");

static __always_inline struct cs_wait_time *cs_wait_time_of(const struct cs_stack_key *key)
{
	struct cs_wait_time first = {};
	struct cs_wait_time *time = bpf_map_lookup_elem(&cs_wait_times, key);

	if (time)
		return time;
	bpf_map_update_elem(&cs_wait_times, key, &first, BPF_NOEXIST);
	return bpf_map_lookup_elem(&cs_wait_times, key);
}

/* The stack of the thread that leaves its CPU. The time when it is taken. */
static __always_inline __u64 cs_take_wait_stack(void *ctx, struct cs_unwind *walk,
						struct cs_stack_record *record, __u64 now_ns)
{
	struct cs_python_half python = {};
	struct cs_wait_time *time;
	bool walked = cs_walk_event(NULL, walk, record, now_ns, CS_STAT_WAIT_NOT_WALKED);

	if (walked)
		cs_add_kernel_half(ctx, record);
	cs_identify_stack(NULL, walk, record, cs_config.python && walked, &python);
	record->kind = CS_RECORD_WAIT_STACK;
	time = cs_wait_time_of(&record->key);
	if (time && !time->sent && cs_send_taken(record, &python))
		time->sent = 1;
	if (!walked)
		return now_ns;
	now_ns = bpf_ktime_get_ns();
	cs_charge_walk(walk, now_ns);
	return now_ns;
}

static __always_inline void cs_begin_wait(void *ctx, struct task_struct *task, bool preempted,
					  __u64 now_ns)
{
	struct cs_wait wait = {.preempted = preempted};
	__u32 tid = task->pid, zero = 0;
	struct cs_stack_record *record = bpf_map_lookup_elem(&cs_scratch, &zero);
	struct cs_unwind *walk = bpf_map_lookup_elem(&cs_walks, &zero);

	if (!record || !walk || task->__state & CS_DEAD)
		return;
	wait.off_ns = cs_take_wait_stack(ctx, walk, record, now_ns);
	wait.key = record->key;
	if (bpf_map_update_elem(&cs_waiting, &tid, &wait, BPF_ANY))
		cs_count(&cs_stats, CS_STAT_WAIT_LOST);
}

static __always_inline void cs_end_wait(__u32 tid, __u64 now_ns)
{
	struct cs_wait *wait = bpf_map_lookup_elem(&cs_waiting, &tid);
	struct cs_off_cpu_time off;
	struct cs_wait_time *time;

	if (!wait) {
		cs_count(&cs_stats, CS_STAT_WAIT_UNSEEN);
		return;
	}
	off = cs_split_off_cpu(wait->off_ns, wait->wake_ns, wait->preempted, now_ns);
	time = bpf_map_lookup_elem(&cs_wait_times, &wait->key);
	if (time) {
		__sync_fetch_and_add(&time->count, 1);
		__sync_fetch_and_add(&time->blocked_ns, off.blocked_ns);
		__sync_fetch_and_add(&time->runq_ns, off.runq_ns);
	} else {
		cs_count(&cs_stats, CS_STAT_WAIT_LOST);
	}
	bpf_map_delete_elem(&cs_waiting, &tid);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(cs_switch_stacks, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	bool comes = cs_enabled && cs_in_targets(next->tgid);
	bool goes = cs_enabled && cs_in_targets(prev->tgid);
	__u64 now_ns;

	if (!comes && !goes)
		return 0;
	now_ns = bpf_ktime_get_ns();
	if (comes)
		cs_end_wait(next->pid, now_ns);
	if (goes)
		cs_begin_wait(ctx, prev, preempt || prev->__state == 0, now_ns);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(cs_wake_stacks, struct task_struct *task)
{
	__u32 tid = task->pid;
	struct cs_wait *wait;

	if (!cs_enabled || !cs_in_targets(task->tgid))
		return 0;
	wait = bpf_map_lookup_elem(&cs_waiting, &tid);
	if (wait)
		wait->wake_ns = bpf_ktime_get_ns();
	return 0;
}
