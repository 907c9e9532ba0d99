/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A part of calls.bpf.c, which defines the maps: what an entry probe does. */
#ifndef CALLSCOPE_BPF_CALLS_ENTER_BPF_H
#define CALLSCOPE_BPF_CALLS_ENTER_BPF_H

#include "callscope/abi/call_records.h"
#include "calls/slow.bpf.h"
#include "common/call_budget.bpf.h"
#include "common/call_tracker.bpf.h"
#include "common/entry_facts.bpf.h"

static __always_inline void cs_send_event(__u32 kind, __u32 func)
{
	struct cs_call_event event = {
	    .kind = kind,
	    .size = sizeof(event),
	    .tgid = bpf_get_current_pid_tgid() >> 32,
	    .func = func,
	};

	if (bpf_ringbuf_output(&cs_call_ring, &event, sizeof(event), 0))
		cs_count(&cs_stats, CS_STAT_CALL_EVENT_LOST);
}

static __always_inline void cs_watch_budget(struct cs_func_ctl *ctl, __u32 func, __u64 now_ns)
{
	__u32 index = func + cs_shard() * cs_config.max_functions;
	struct cs_func_load *load;

	if (!cs_config.budget_1024)
		return;
	load = bpf_map_lookup_elem(&cs_func_loads, &index);
	if (load && cs_spend(ctl, load, cs_config.budget_1024, cs_config.burst_ns, now_ns))
		cs_send_event(CS_CALL_RECORD_HOT, func);
}

/* The state of the current thread, its calls of another program closed; NULL: no memory. */
static __always_inline struct cs_call_thread *cs_thread(struct task_struct *task)
{
	struct cs_call_thread *thread;

	thread = bpf_task_storage_get(&cs_call_threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!thread) {
		cs_count(&cs_stats, CS_STAT_THREAD_STATE_FULL);
		return NULL;
	}
	if (thread->exec_id != task->self_exec_id) {
		cs_track_end(thread, bpf_ktime_get_ns(), CS_CALL_UNWOUND);
		thread->exec_id = task->self_exec_id;
		thread->throwing = 0;
	}
	return thread;
}

/* Of a cookie, what the probes of both generations have in common, and the generation. Entries that
 * are timed become such that are counted. */
static __always_inline __u64 cs_same_event(__u64 cookie)
{
	__u32 kind = cs_cookie_kind(cookie);

	return cs_cookie(kind == CS_PROBE_COUNT ? CS_PROBE_ENTRY : kind, cs_cookie_func(cookie),
			 0) |
	       (cookie & CS_COOKIE_GENERATION);
}

/* Whether the probe that has counted is run before this one. On one instruction the kernel runs
 * those that came last first, else the one that stands first does: nothing jumps in between. */
static __always_inline bool cs_runs_before(const struct cs_counted_event *counted, __u64 ip,
					   bool is_old)
{
	return counted->ip == ip ? is_old : counted->ip < ip;
}

/* 0: a probe of the other generation has counted this already. */
static __attribute__((noinline)) int cs_counts_in_takeover(__u64 cookie, __u64 slot, __u64 ip,
							   __u32 generation)
{
	struct cs_call_thread *thread = cs_thread(bpf_get_current_task_btf());
	bool is_old = cs_takeover_of(generation) == CS_TAKEOVER_BOTH &&
		      cs_counting_generation(generation) == cs_cookie_generation(cookie);
	__u64 event = cs_same_event(cookie);
	struct cs_counted_event *counted;

	if (!thread)
		return 1;
	/* An exit may come between the two probes of the entry that stand where it does. */
	if (cs_cookie_kind(event) == CS_PROBE_ENTRY)
		counted = &thread->counted[0];
	else
		counted = &thread->counted[1];
	if (cs_takeover_of(generation) != CS_TAKEOVER_BEGINS && counted->slot == slot &&
	    (counted->cookie ^ event) == CS_COOKIE_GENERATION &&
	    cs_runs_before(counted, ip, is_old)) {
		counted->slot = 0;
		return 0;
	}
	counted->cookie = event;
	counted->slot = slot;
	counted->ip = ip;
	return 1;
}

/* Whether this event is one of the function's present generation of probes. */
static __always_inline bool cs_counts(const struct cs_func_ctl *ctl, const struct pt_regs *ctx,
				      __u64 cookie, __u64 slot)
{
	__u32 generation = *(const volatile __u8 *)&ctl->generation;

	if (cs_takeover_of(generation) == CS_TAKEOVER_NONE)
		return generation == cs_cookie_generation(cookie);
	if (cs_takeover_of(generation) != CS_TAKEOVER_BOTH &&
	    cs_counting_generation(generation) != cs_cookie_generation(cookie))
		return false;
	return cs_counts_in_takeover(cookie, slot, ctx->ip, generation);
}

/* CS_ENTRY_TOO_DEEP when the call cannot be timed. */
static __always_inline enum cs_entry_result cs_push(const struct pt_regs *ctx,
						    struct task_struct *task, __u64 slot,
						    struct cs_func_ctl *ctl, __u64 cookie)
{
	struct cs_call_thread *thread = cs_thread(task);
	struct cs_opening opening = {
	    .func = cs_cookie_func(cookie),
	    .shift = ctl->sample_shift & CS_MAX_SHIFT,
	    .generation = cs_cookie_generation(cookie),
	};
	struct cs_entry_facts facts = {};
	enum cs_entry_result result;
	__u64 now_ns;

	if (!thread)
		return CS_ENTRY_TOO_DEEP;
	if (cs_needs_facts(thread, slot))
		cs_load_facts(task, slot, &facts, &cs_stats);
	now_ns = bpf_ktime_get_ns();
	result = cs_track_entry(thread, slot, now_ns, &opening, &facts);
	if (result == CS_ENTRY_TOO_DEEP)
		cs_count(&cs_stats, CS_STAT_DEPTH_EXCEEDED);
	else if (cs_slow_threshold(ctl))
		cs_keep_arguments(task, ctx, thread->depth - 1);
	cs_watch_budget(ctl, opening.func, now_ns);
	return result;
}

/* A call that is not followed, whose exits may be probed all the same. */
static __always_inline void cs_skip(struct task_struct *task, __u64 slot, __u32 func)
{
	struct cs_call_thread *thread = bpf_task_storage_get(&cs_call_threads, task, 0, 0);
	struct cs_entry_facts facts = {};

	if (!thread || !(thread->tail_slot || cs_needs_facts(thread, slot)))
		return;
	if (cs_needs_facts(thread, slot))
		cs_load_facts(task, slot, &facts, &cs_stats);
	cs_track_begin(thread, slot, bpf_ktime_get_ns(), func, &facts);
}

static __always_inline bool cs_is_sampled(const struct cs_func_ctl *ctl)
{
	__u32 mask = (1u << (ctl->sample_shift & CS_MAX_SHIFT)) - 1;

	return mask == 0 || (bpf_get_prandom_u32() & mask) == 0;
}

/* Returns 0 to have the return probed, 1 not to. */
static __always_inline int cs_enter(const struct pt_regs *ctx, __u64 cookie, bool timed)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 func = cs_cookie_func(cookie);
	enum cs_entry_result result;
	struct cs_call_stats *stats;
	struct cs_func_ctl *ctl;

	ctl = bpf_map_lookup_elem(&cs_func_ctls, &func);
	if (!ctl) {
		cs_count(&cs_stats, CS_STAT_BAD_COOKIE);
		return 1;
	}
	if (!cs_counts(ctl, ctx, cookie, cs_slot_at(ctx, cookie)))
		return 1;
	if (timed && (ctl->mode != CS_FUNC_TIMED || !cs_is_sampled(ctl))) {
		cs_skip(task, cs_slot_at(ctx, cookie), func);
		timed = ctl->mode == CS_FUNC_TIMED;
	} else if (timed) {
		result = cs_push(ctx, task, cs_slot_at(ctx, cookie), ctl, cookie);
		if (result != CS_ENTRY_TOO_DEEP)
			return result != CS_ENTRY_PUSHED;
		timed = false;
	}
	stats = ctl->mode == CS_FUNC_OFF ? NULL : cs_node_stats(func);
	if (stats) /* func is in range: always */
		__sync_fetch_and_add(timed ? &stats->skipped : &stats->untimed, 1);
	return 1;
}

#endif
