/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The shadow stack of one thread: which probed calls are open, keyed by the address of their return
 * slot. Pure logic, also compiled in user space by tests/unit/probes. The includer defines before:
 *   cs_call_closed(end, func, total_ns, child_ns, outermost)   what to do with a finished call
 * Only the thread itself runs this code, so the state needs no lock. Loops are bounded by the
 * depth.
 *
 * The stack grows down. On entry with return slot S an open frame with slot > S is a caller; slot <
 * S is dead: a longjmp or a throw left it; slot == S is a function that tail-called us, when the
 * slot holds the return trampoline or a probed tail jump has just announced us, else it is dead. */
#ifndef CALLSCOPE_BPF_CALL_TRACKER_BPF_H
#define CALLSCOPE_BPF_CALL_TRACKER_BPF_H

#include "callscope/abi/calls.h"

#define CS_INLINE static inline __attribute__((always_inline))
/* Verified on its own, once, instead of once for each turn of each loop that calls it: without that
 * the verifier gives up (E2BIG). It knows the argument as memory of that size that may be NULL. */
#ifdef __bpf__
#define CS_SUBPROGRAM __attribute__((noinline))
#else
#define CS_SUBPROGRAM static inline
#endif

enum cs_call_end {
	CS_CALL_RETURNED,
	CS_CALL_TAIL_EXIT, /* left by a tail call whose end is not seen */
	CS_CALL_UNWOUND,   /* left without a return */
	CS_CALL_RUNNING,   /* the process ended, or the recording stopped, inside of it */
};

enum cs_entry_result {
	CS_ENTRY_PUSHED,   /* wants a return probe */
	CS_ENTRY_CHAINED,  /* tail call: the return probe of the slot's first owner serves it */
	CS_ENTRY_TOO_DEEP, /* not tracked */
};

/* Facts about the thread at an entry; only looked at when frames may be dead. */
struct cs_entry_facts {
	__u64 alt_stack;      /* alternate signal stack: lowest address, 0 = none */
	__u64 alt_stack_size; /* bytes */
	__u32 slot_handed_on; /* 1: a tail call: the slot holds the return-probe trampoline */
};

/* The top frame, depth must be > 0. The mask only tells the verifier what depth guarantees. */
CS_INLINE struct cs_call_frame *cs_top(struct cs_call_thread *thread)
{
	return &thread->frames[(thread->depth - 1) & (CS_CALL_DEPTH - 1)];
}

/* Closes the top call; depth must be > 0. */
CS_INLINE void cs_pop_top(struct cs_call_thread *thread, __u64 now_ns, int end)
{
	struct cs_call_frame *frame = cs_top(thread);
	__u64 total_ns = now_ns > frame->enter_ns ? now_ns - frame->enter_ns : 0;
	__u64 child_ns = frame->child_ns < total_ns ? frame->child_ns : total_ns;
	__u32 func = frame->func;
	__u32 outermost = frame->outermost;

	thread->depth--;
	if (thread->depth > 0)
		cs_top(thread)->child_ns += total_ns;
	cs_call_closed(end, func, total_ns, child_ns, outermost);
}

/* The same for loops. Returns 0. */
CS_SUBPROGRAM int cs_pop(struct cs_call_thread *thread, __u64 now_ns, int end)
{
	if (thread && thread->depth > 0)
		cs_pop_top(thread, now_ns, end);
	return 0;
}

/* Closes all open calls: the thread exits, or another program was executed. */
CS_INLINE void cs_track_end(struct cs_call_thread *thread, __u64 now_ns, enum cs_call_end end)
{
	for (int i = 0; i < CS_CALL_DEPTH && thread->depth > 0; i++)
		cs_pop(thread, now_ns, end);
}

CS_INLINE bool cs_on_alt_stack(const struct cs_entry_facts *facts, __u64 addr)
{
	return facts->alt_stack && addr - facts->alt_stack < facts->alt_stack_size;
}

/* True when an entry at this slot must be given the facts. */
CS_INLINE bool cs_needs_facts(struct cs_call_thread *thread, __u64 slot)
{
	return thread->depth > 0 && cs_top(thread)->slot <= slot;
}

CS_INLINE bool cs_is_dead(const struct cs_call_frame *frame, __u64 slot,
			  const struct cs_entry_facts *facts)
{
	if (frame->slot > slot)
		return false;
	if (frame->slot == slot)
		return !facts->slot_handed_on;
	/* A handler on the alternate stack interrupts the frames of the other stack. */
	return !cs_on_alt_stack(facts, slot) || cs_on_alt_stack(facts, frame->slot);
}

/* A function that comes again in one chain of tail calls is a loop: its earlier activation ended
 * with the jump. So chains of any length need no more frames than they have functions. */
CS_SUBPROGRAM int cs_close_tail_loop(struct cs_call_thread *thread, __u64 slot, __u32 func,
				     __u64 now_ns)
{
	__u32 keep;

	if (!thread)
		return 0;
	keep = thread->depth;
	for (__u32 i = 1; i <= CS_CALL_DEPTH; i++) {
		struct cs_call_frame *frame;

		if (i > thread->depth)
			break;
		frame = &thread->frames[(thread->depth - i) & (CS_CALL_DEPTH - 1)];
		if (frame->slot != slot)
			break;
		if (frame->func == func)
			keep = thread->depth - i;
	}
	for (int i = 0; i < CS_CALL_DEPTH && thread->depth > keep; i++)
		cs_pop(thread, now_ns, CS_CALL_RETURNED);
	return 0;
}

/* 1: an activation of the function is open. */
CS_SUBPROGRAM int cs_is_open(struct cs_call_thread *thread, __u32 func)
{
	for (__u32 i = 0; thread && i < CS_CALL_DEPTH; i++) {
		if (i >= thread->depth)
			return 0;
		if (thread->frames[i].func == func)
			return 1;
	}
	return 0;
}

CS_INLINE bool cs_is_top(struct cs_call_thread *thread, __u64 slot)
{
	return thread->depth > 0 && cs_top(thread)->slot == slot;
}

/* Closes the calls that share the slot: they all return together. */
CS_INLINE void cs_close_slot(struct cs_call_thread *thread, __u64 slot, __u64 now_ns,
			     enum cs_call_end end)
{
	for (int i = 0; i < CS_CALL_DEPTH && thread->depth > 0; i++) {
		if (!cs_is_top(thread, slot))
			break;
		cs_pop(thread, now_ns, end);
	}
}

/* A probed tail jump announced a function. True: it is this one. Else the jump was the last that is
 * known of its caller, which ends there. */
CS_INLINE bool cs_take_tail_jump(struct cs_call_thread *thread, __u64 slot, __u32 func)
{
	__u64 tail_slot = thread->tail_slot;

	thread->tail_slot = 0;
	if (tail_slot == 0)
		return false;
	if (tail_slot == slot && thread->tail_func == func)
		return true;
	cs_close_slot(thread, tail_slot, thread->tail_ns, CS_CALL_TAIL_EXIT);
	return false;
}

CS_INLINE enum cs_entry_result cs_track_entry(struct cs_call_thread *thread, __u64 slot, __u32 func,
					      __u64 now_ns, struct cs_entry_facts *facts)
{
	enum cs_entry_result result = CS_ENTRY_PUSHED;
	struct cs_call_frame *frame;

	thread->returned_slot = 0;
	if (cs_take_tail_jump(thread, slot, func))
		facts->slot_handed_on = 1;
	for (int i = 0; i < CS_CALL_DEPTH && thread->depth > 0; i++) {
		if (!cs_is_dead(cs_top(thread), slot, facts))
			break;
		cs_pop(thread, now_ns, CS_CALL_UNWOUND);
	}
	if (cs_is_top(thread, slot)) {
		result = CS_ENTRY_CHAINED;
		cs_close_tail_loop(thread, slot, func, now_ns);
	}
	if (thread->depth >= CS_CALL_DEPTH)
		return CS_ENTRY_TOO_DEEP;
	frame = &thread->frames[thread->depth & (CS_CALL_DEPTH - 1)];
	frame->slot = slot;
	frame->enter_ns = now_ns;
	frame->child_ns = 0;
	frame->func = func;
	frame->outermost = thread->depth == 0 || !cs_is_open(thread, func);
	thread->depth++;
	return result;
}

/* Brings the frame of this slot to the top; what lay above it was unwound. 0: none has it. */
CS_SUBPROGRAM int cs_unwind_to(struct cs_call_thread *thread, __u64 slot, __u64 now_ns)
{
	__u32 found = 0; /* depth that has the frame on top; 0 = none */

	for (__u32 i = 0; thread && i < CS_CALL_DEPTH; i++) {
		if (i >= thread->depth)
			break;
		found = thread->depth - i;
		if (thread->frames[(found - 1) & (CS_CALL_DEPTH - 1)].slot == slot)
			break;
		found = 0;
	}
	if (!thread || found == 0)
		return 0;
	for (int i = 0; i < CS_CALL_DEPTH && thread->depth > found; i++)
		cs_pop(thread, now_ns, CS_CALL_UNWOUND);
	return 1;
}

/* The return at this slot: closes its frame and all tail callees that share the slot. False: no
 * frame of ours has the slot. */
CS_INLINE bool cs_track_return(struct cs_call_thread *thread, __u64 slot, __u64 now_ns)
{
	thread->tail_slot = 0;
	/* Without sessions each link of a tail-call chain has a return probe of its own; the first
	 * one that fired closed them all. */
	if (!cs_is_top(thread, slot) && !cs_unwind_to(thread, slot, now_ns))
		return slot == thread->returned_slot;
	cs_pop_top(thread, now_ns, CS_CALL_RETURNED); /* inline: nearly always the only one */
	if (cs_is_top(thread, slot))
		cs_close_slot(thread, slot, now_ns, CS_CALL_RETURNED);
	thread->returned_slot = slot;
	return true;
}

/* A probed tail jump leaves the function of this slot. To a probed function: it stays open until
 * that one returns. Else its time ends here. kind: CS_EXIT_TAIL_*. */
CS_INLINE bool cs_track_tail_jump(struct cs_call_thread *thread, __u64 slot, __u32 kind,
				  __u64 now_ns)
{
	if (!cs_unwind_to(thread, slot, now_ns))
		return false;
	if (kind < CS_EXIT_TAIL_FUNC) {
		cs_close_slot(thread, slot, now_ns, CS_CALL_TAIL_EXIT);
		return true;
	}
	thread->tail_slot = slot;
	thread->tail_ns = now_ns;
	thread->tail_func = kind - CS_EXIT_TAIL_FUNC;
	return true;
}

#endif
