/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Exact function latency: entry and return probes, a shadow stack per thread, statistics and a
 * histogram per function. */
#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "callscope/abi/calls.h"
#include "callscope/abi/histogram.h"
#include "callscope/abi/stats.h"
#include "common/stats.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct cs_call_config cs_config;

/* User space sets it after all probes are attached and clears it before they go. */
volatile __u32 cs_enabled;

/* Written here, read by user space. One element a reason, enum cs_stat. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CS_STAT_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} cs_stats SEC(".maps");

/* n_functions * n_shards elements, set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_call_stats);
} cs_call_stats SEC(".maps");

/* As cs_call_stats; apart from it because it is large and most functions are never called. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_call_hist);
} cs_call_hist SEC(".maps");

/* One shadow stack a thread, freed by the kernel with the thread. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct cs_call_thread);
} cs_call_threads SEC(".maps");

/* Kernel 6.13+; user space leaves the session program out elsewhere. */
extern bool bpf_session_is_return(void) __ksym __weak;

static __always_inline __u32 cs_stats_index(__u32 func)
{
	return func +
	       (bpf_get_smp_processor_id() & (cs_config.n_shards - 1)) * cs_config.n_functions;
}

static __always_inline void cs_call_closed(int end, __u32 func, __u64 total_ns, __u64 child_ns,
					   __u32 outermost);

#include "common/call_tracker.bpf.h"
#include "common/entry_facts.bpf.h"

static __always_inline void cs_record_duration(struct cs_call_stats *stats, __u32 index, __u64 ns)
{
	struct cs_call_hist *hist = bpf_map_lookup_elem(&cs_call_hist, &index);
	__u32 slot = cs_hist_slot(ns);

	__sync_fetch_and_add(&stats->sum_ns, ns);
	if ((stats->max_ns < ns && !cs_atomic_max(&stats->max_ns, ns)) ||
	    (stats->min_inv < ~ns && !cs_atomic_max(&stats->min_inv, ~ns)))
		cs_count(&cs_stats, CS_STAT_MINMAX_CONTENDED);
	if (hist && slot < CS_HIST_SLOTS)
		__sync_fetch_and_add(&hist->slots[slot], 1);
}

static __always_inline void cs_call_closed(int end, __u32 func, __u64 total_ns, __u64 child_ns,
					   __u32 outermost)
{
	__u32 index = cs_stats_index(func);
	struct cs_call_stats *stats = bpf_map_lookup_elem(&cs_call_stats, &index);

	if (!stats)
		return; /* cs_enter checked the function id */
	if (end == CS_CALL_RUNNING) {
		__sync_fetch_and_add(&stats->running, 1);
		return;
	}
	if (end == CS_CALL_TAIL_EXIT)
		__sync_fetch_and_add(&stats->tail_exits, 1);
	if (end != CS_CALL_UNWOUND) {
		cs_record_duration(stats, index, total_ns);
	} else {
		__sync_fetch_and_add(&stats->unwound, 1);
		__sync_fetch_and_add(&stats->unwound_ns, total_ns);
	}
	if (child_ns)
		__sync_fetch_and_add(&stats->child_ns, child_ns);
	if (!outermost)
		__sync_fetch_and_add(&stats->nested_ns, total_ns);
}

static __always_inline void cs_count_untimed(__u32 func)
{
	__u32 index = cs_stats_index(func);
	struct cs_call_stats *stats = bpf_map_lookup_elem(&cs_call_stats, &index);

	if (stats) /* func is in range: always */
		__sync_fetch_and_add(&stats->untimed, 1);
}

/* CS_ENTRY_TOO_DEEP when the call cannot be timed. */
static __always_inline enum cs_entry_result cs_push(struct task_struct *task, __u64 slot,
						    __u32 func)
{
	struct cs_entry_facts facts = {};
	struct cs_call_thread *thread;
	enum cs_entry_result result;

	thread = bpf_task_storage_get(&cs_call_threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!thread) {
		cs_count(&cs_stats, CS_STAT_THREAD_STATE_FULL);
		return CS_ENTRY_TOO_DEEP;
	}
	if (thread->exec_id != task->self_exec_id) {
		cs_track_end(thread, bpf_ktime_get_ns(), CS_CALL_UNWOUND);
		thread->exec_id = task->self_exec_id;
	}
	if (cs_needs_facts(thread, slot))
		cs_load_facts(task, slot, &facts, &cs_stats);
	result = cs_track_entry(thread, slot, func, bpf_ktime_get_ns(), &facts);
	if (result == CS_ENTRY_TOO_DEEP)
		cs_count(&cs_stats, CS_STAT_DEPTH_EXCEEDED);
	return result;
}

/* Returns 0 to have the return probed, 1 not to. */
static __always_inline int cs_enter(struct pt_regs *ctx, bool timed)
{
	struct task_struct *task = bpf_get_current_task_btf();
	enum cs_entry_result result = CS_ENTRY_TOO_DEEP;
	__u64 func;

	if (!cs_enabled || (__u32)task->tgid != cs_config.tgid)
		return 1;
	func = bpf_get_attach_cookie(ctx);
	if (func >= cs_config.n_functions) {
		cs_count(&cs_stats, CS_STAT_BAD_COOKIE);
		return 1;
	}
	if (timed)
		result = cs_push(task, ctx->sp, func);
	if (result == CS_ENTRY_TOO_DEEP)
		cs_count_untimed(func);
	return result != CS_ENTRY_PUSHED;
}

/* The call at this return slot leaves by a return or, if tail_kind is not CS_EXIT_RET, a jump. */
static __always_inline void cs_leave(__u64 slot, __u32 tail_kind, __u32 func)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct task_struct *task = bpf_get_current_task_btf();
	struct cs_call_thread *thread;
	bool known = false;

	if (!cs_enabled || (__u32)task->tgid != cs_config.tgid)
		return;
	thread = bpf_task_storage_get(&cs_call_threads, task, 0, 0);
	if (thread && tail_kind == CS_EXIT_RET)
		known = cs_track_return(thread, slot, now_ns);
	else if (thread)
		known = cs_track_tail_jump(thread, slot, tail_kind, now_ns);
	if (!known && func != CS_NO_FUNCTION)
		cs_count(&cs_stats, CS_STAT_RETURN_UNMATCHED);
}

/* A return probe fires when the return address has been popped: its slot is just below. */
static __always_inline void cs_leave_by_return_probe(struct pt_regs *ctx)
{
	cs_leave(ctx->sp - sizeof(__u64), CS_EXIT_RET, 0);
}

SEC("?kprobe")
int cs_call_session(struct pt_regs *ctx)
{
	if (!bpf_session_is_return())
		return cs_enter(ctx, true);
	cs_leave_by_return_probe(ctx);
	return 0;
}

SEC("?kprobe")
int cs_call_entry(struct pt_regs *ctx)
{
	cs_enter(ctx, true);
	return 0;
}

SEC("?kprobe")
int cs_call_return(struct pt_regs *ctx)
{
	cs_leave_by_return_probe(ctx);
	return 0;
}

/* On a ret or a tail jump: the return address is on top of the stack. */
SEC("?kprobe")
int cs_call_exit_site(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	cs_leave(ctx->sp, cookie >> 32, cookie);
	return 0;
}

SEC("?kprobe")
int cs_call_entry_only(struct pt_regs *ctx)
{
	cs_enter(ctx, false);
	return 0;
}

static __always_inline void cs_end_thread(struct task_struct *task, bool running)
{
	struct cs_call_thread *thread;

	if (!task || (__u32)task->tgid != cs_config.tgid)
		return;
	thread = bpf_task_storage_get(&cs_call_threads, task, 0, 0);
	if (!thread)
		return;
	if (thread->exec_id != task->self_exec_id)
		running = false;
	cs_track_end(thread, bpf_ktime_get_ns(), running ? CS_CALL_RUNNING : CS_CALL_UNWOUND);
}

/* A thread that leaves alone unwinds its calls; when the process ends, they were running. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(cs_exit_calls, struct task_struct *task)
{
	if (cs_enabled)
		cs_end_thread(task, task->signal->flags & CS_SIGNAL_GROUP_EXIT);
	return 0;
}

/* Run once by user space after the probes are gone: calls that are still open. */
SEC("iter/task")
int cs_count_running(struct bpf_iter__task *ctx)
{
	cs_end_thread(ctx->task, true);
	return 0;
}
