/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A part of calls.bpf.c, which defines the maps: statistics of a finished call. */
#ifndef CALLSCOPE_BPF_CALLS_CLOSED_BPF_H
#define CALLSCOPE_BPF_CALLS_CLOSED_BPF_H

#include "callscope/abi/histogram.h"
#include "common/call_types.bpf.h"

/* *cell = max(*cell, value), or counted as contended. A subprogram, so that the
 * verifier's paths meet again. Returns 0. */
__attribute__((noinline)) int cs_raise(__u64 *cell, __u64 value)
{
	if (cell && !cs_atomic_max(cell, value))
		cs_count(&cs_stats, CS_STAT_MINMAX_CONTENDED);
	return 0;
}

static __always_inline void cs_record_duration(struct cs_call_stats *stats,
					       const struct cs_call_frame *frame, __u64 ns)
{
	__u32 index = frame->func + cs_shard() * cs_config.max_functions;
	__u32 shift = frame->shift & CS_MAX_SHIFT, slot;
	struct cs_call_hist *hist;

	__sync_fetch_and_add(&stats->returns, 1);
	__sync_fetch_and_add(&stats->sum_ns, ns << shift);
	if (stats->max_ns < ns)
		cs_raise(&stats->max_ns, ns);
	if (stats->min_inv < ~ns)
		cs_raise(&stats->min_inv, ~ns);
	hist = bpf_map_lookup_elem(&cs_call_hist, &index);
	slot = cs_hist_slot(ns);
	if (hist && slot < CS_HIST_SLOTS)
		__sync_fetch_and_add(&hist->slots[slot], 1ull << shift);
}

static __always_inline void cs_add_if(__u64 *cell, __u64 value)
{
	if (value)
		__sync_fetch_and_add(cell, value);
}

static __always_inline void cs_record_waiting(struct cs_call_stats *stats,
					      const struct cs_call_frame *frame,
					      const struct cs_call_span *span)
{
	__u32 shift = frame->shift & CS_MAX_SHIFT;

	cs_add_if(&stats->blocked_ns, span->blocked_ns << shift);
	cs_add_if(&stats->runq_ns, span->runq_ns << shift);
	cs_add_if(&stats->child_blocked_ns, frame->child_blocked_ns << shift);
	cs_add_if(&stats->child_runq_ns, frame->child_runq_ns << shift);
	if (!frame->outermost) {
		cs_add_if(&stats->nested_blocked_ns, span->blocked_ns << shift);
		cs_add_if(&stats->nested_runq_ns, span->runq_ns << shift);
	}
}

/* Its return probe was taken away while it was open: nothing tells how it ended. */
static __always_inline bool cs_lost_its_return(const struct cs_call_frame *frame, int end)
{
	__u32 func = frame->func;
	struct cs_func_ctl *ctl;

	if (end != CS_CALL_UNWOUND && end != CS_CALL_THREW)
		return false;
	ctl = bpf_map_lookup_elem(&cs_func_ctls, &func);
	return ctl && cs_takeover_of(ctl->generation) == CS_TAKEOVER_NONE &&
	       ctl->generation != frame->generation;
}

/* The verifier spends its time on what follows only where it is wanted. 0: none. */
static __always_inline __u64 cs_slow_threshold(const struct cs_func_ctl *ctl)
{
	return cs_config.log_slow ? ctl->slow_ns : 0;
}

static __always_inline void cs_note_slow(struct cs_call_thread *thread,
					 const struct cs_call_frame *frame, __u64 total_ns)
{
	__u32 func = frame->func;
	struct cs_func_ctl *ctl = bpf_map_lookup_elem(&cs_func_ctls, &func);

	if (!ctl || !cs_slow_threshold(ctl) || total_ns < ctl->slow_ns)
		return;
	if (thread->slow_pending)
		cs_count(&cs_stats, CS_STAT_SLOW_LOST);
	thread->slow_pending = 1;
	thread->slow_depth = thread->depth;
	thread->slow_end_ns = frame->enter_ns + total_ns;
}

static __always_inline void cs_call_closed(struct cs_call_thread *thread,
					   struct cs_call_frame *frame, int end,
					   const struct cs_call_span *span)
{
	struct cs_call_stats *stats = cs_node_stats(frame->node);
	__u32 shift = frame->shift & CS_MAX_SHIFT;

	if (!stats)
		return; /* cs_enter checked the function, cs_find_node made the node: never */
	if (end == CS_CALL_RUNNING) {
		__sync_fetch_and_add(&stats->running, 1);
		return;
	}
	if (cs_lost_its_return(frame, end)) {
		__sync_fetch_and_add(&stats->untimed, 1);
		cs_count(&cs_stats, CS_STAT_RETURN_RELINKED);
		return;
	}
	if (end == CS_CALL_TAIL_EXIT)
		__sync_fetch_and_add(&stats->tail_exits, 1);
	if (end == CS_CALL_UNWOUND || end == CS_CALL_THREW) {
		__sync_fetch_and_add(&stats->unwound, 1);
		__sync_fetch_and_add(&stats->unwound_ns, span->total_ns << shift);
		cs_add_if(&stats->threw, end == CS_CALL_THREW);
	} else {
		cs_record_duration(stats, frame, span->total_ns);
		cs_note_slow(thread, frame, span->total_ns);
	}
	cs_add_if(&stats->child_ns, frame->child_ns << shift);
	if (!frame->outermost)
		__sync_fetch_and_add(&stats->nested_ns, span->total_ns << shift);
	if (span->blocked_ns | span->runq_ns)
		cs_record_waiting(stats, frame, span);
}

#endif
