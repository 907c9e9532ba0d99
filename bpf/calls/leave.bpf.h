/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A part of calls.bpf.c, which defines the maps: what return probes, exit sites and caught
 * exceptions do. */
#ifndef CALLSCOPE_BPF_CALLS_LEAVE_BPF_H
#define CALLSCOPE_BPF_CALLS_LEAVE_BPF_H

#include "calls/enter.bpf.h"
#include "calls/slow.bpf.h"
#include "common/call_tracker.bpf.h"

/* The call at this return slot leaves by a return or, for CS_PROBE_TAIL, a jump to to_func. */
static __always_inline bool cs_leave(struct pt_regs *ctx, __u64 slot, bool tail, __u32 to_func,
				     __u64 caller)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct task_struct *task = bpf_get_current_task_btf();
	struct cs_call_thread *thread;
	bool known;

	thread = bpf_task_storage_get(&cs_call_threads, task, 0, 0);
	if (!thread)
		return false;
	known = tail ? cs_track_tail_jump(thread, slot, to_func, now_ns)
		     : cs_track_return(thread, slot, now_ns);
	if (cs_config.log_slow && thread->slow_pending)
		cs_send_slow(ctx, task, thread, caller);
	return known;
}

/* A return probe fires when the return address has been popped: its slot is just below. */
static __always_inline void cs_leave_by_return_probe(struct pt_regs *ctx)
{
	if (!cs_leave(ctx, ctx->sp - sizeof(__u64), false, 0, ctx->ip))
		cs_count(&cs_stats, CS_STAT_RETURN_UNMATCHED);
}

/* What the exits of a tail callee cost is part of the budget. */
static __always_inline void cs_count_tail_callee(struct cs_func_ctl *ctl, __u32 func)
{
	struct cs_call_stats *stats = cs_node_stats(func);

	if (stats) /* func is in range: always */
		__sync_fetch_and_add(&stats->untimed, 1);
	cs_watch_budget(ctl, func, bpf_ktime_get_ns());
}

static __always_inline void cs_leave_by_site(struct pt_regs *ctx, __u64 cookie, bool tail)
{
	__u64 slot = tail ? ctx->sp : cs_slot_at(ctx, cookie), caller = 0;
	__u32 func = cs_cookie_func(cookie);
	struct cs_func_ctl *ctl = bpf_map_lookup_elem(&cs_func_ctls, &func);

	if (ctl && !cs_counts(ctl, ctx, cookie, slot))
		return;
	if (ctl && ctl->mode == CS_FUNC_TAIL_CALLEE)
		cs_count_tail_callee(ctl, func);
	if (ctl && cs_slow_threshold(ctl))
		bpf_probe_read_user(&caller, sizeof(caller), (void *)slot);
	if (cs_leave(ctx, slot, tail, cs_cookie_high(cookie), caller))
		return;
	/* Calls that were left out by sampling, or began before, end here as well. */
	if (ctl && ctl->sample_shift == 0 && ctl->mode == CS_FUNC_TIMED)
		cs_count(&cs_stats, CS_STAT_RETURN_UNMATCHED);
}

static __always_inline void cs_throw(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct cs_call_thread *thread = bpf_task_storage_get(&cs_call_threads, task, 0, 0);

	if (thread)
		thread->throwing++;
}

/* __cxa_begin_catch: the frames below this one were left by the exception. */
static __always_inline void cs_catch(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct cs_call_thread *thread = bpf_task_storage_get(&cs_call_threads, task, 0, 0);
	struct cs_entry_facts facts = {
	    .alt_stack = task->sas_ss_sp,
	    .alt_stack_size = task->sas_ss_size,
	};

	if (!thread)
		return;
	cs_close_dead(thread, ctx->sp, &facts, bpf_ktime_get_ns(), CS_CALL_THREW);
	if (thread->throwing)
		thread->throwing--;
}

#endif
