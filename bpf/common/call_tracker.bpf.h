/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The shadow stack of one thread: which probed calls are open, keyed by the address of their return
 * slot. Pure logic, also compiled in user space by tests/unit/probes. The includer defines before:
 *   cs_call_opened(thread, frame, parent, activation)   gives a new call its place in the call tree
 *   cs_call_closed(thread, frame, end, span)            what to do with a finished call
 * Only the thread itself runs this code, so the state needs no lock. Loops are bounded by the
 * depth.
 *
 * The stack grows down. On entry with return slot S an open frame with slot > S is a caller; slot <
 * S is dead: a longjmp or a throw left it; slot == S is a function that tail-called us, when the
 * slot holds the return trampoline or a probed tail jump has just announced us, else it is dead. */
#ifndef CALLSCOPE_BPF_CALL_TRACKER_BPF_H
#define CALLSCOPE_BPF_CALL_TRACKER_BPF_H

#include "callscope/abi/calls.h"
#include "common/call_types.bpf.h"

/* The top frame, depth must be > 0. The mask only tells the verifier what depth guarantees. */
CS_INLINE struct cs_call_frame *cs_top(struct cs_call_thread *thread)
{
	return &thread->frames[(thread->depth - 1) & (CS_CALL_DEPTH - 1)];
}

CS_INLINE void cs_add_to_caller(struct cs_call_frame *caller, const struct cs_call_span *span,
				__u32 shift)
{
	caller->child_ns += span->total_ns << shift;
	if (span->blocked_ns | span->runq_ns) {
		caller->child_blocked_ns += span->blocked_ns << shift;
		caller->child_runq_ns += span->runq_ns << shift;
	}
}

/* Closes the top call; depth must be > 0. */
CS_INLINE void cs_pop_top(struct cs_call_thread *thread, __u64 now_ns, int end)
{
	struct cs_call_frame *frame = cs_top(thread);
	struct cs_call_span span = {
	    .total_ns = now_ns > frame->enter_ns ? now_ns - frame->enter_ns : 0,
	    .blocked_ns = thread->blocked_ns - frame->blocked_ns,
	    .runq_ns = thread->runq_ns - frame->runq_ns,
	};

	thread->depth--;
	if (thread->depth > 0)
		cs_add_to_caller(cs_top(thread), &span, frame->shift & CS_MAX_SHIFT);
	cs_call_closed(thread, frame, end, &span);
}

/* The same for loops. Returns 0. */
CS_SUBPROGRAM int cs_pop(struct cs_call_thread *thread, __u64 now_ns, int end)
{
	if (thread && thread->depth > 0)
		cs_pop_top(thread, now_ns, end);
	return 0;
}

/* Closes all open calls: the thread exits, or another program was executed. Returns 0. */
CS_SUBPROGRAM int cs_track_end(struct cs_call_thread *thread, __u64 now_ns, int end)
{
	for (int i = 0; thread && i < CS_CALL_DEPTH && thread->depth > 0; i++)
		cs_pop(thread, now_ns, end);
	return 0;
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

/* How a call ended that is found dead: code also runs while an exception passes, in destructors. */
CS_INLINE enum cs_call_end cs_dead_end(const struct cs_call_thread *thread)
{
	return thread->throwing ? CS_CALL_THREW : CS_CALL_UNWOUND;
}

/* Closes the frames that cannot be open any more when code runs with this slot. Returns 0. */
CS_SUBPROGRAM int cs_pop_dead(struct cs_call_thread *thread, __u64 slot,
			      const struct cs_entry_facts *facts, __u64 now_ns, int end)
{
	for (int i = 0; thread && facts && i < CS_CALL_DEPTH && thread->depth > 0; i++) {
		if (!cs_is_dead(cs_top(thread), slot, facts))
			break;
		cs_pop(thread, now_ns, end);
	}
	return 0;
}

/* The same; nearly always there is none. */
CS_INLINE void cs_close_dead(struct cs_call_thread *thread, __u64 slot,
			     const struct cs_entry_facts *facts, __u64 now_ns, enum cs_call_end end)
{
	if (cs_needs_facts(thread, slot))
		cs_pop_dead(thread, slot, facts, now_ns, end);
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

/* The outermost open activation of the function, counted from 1; 0: none. */
CS_SUBPROGRAM int cs_find_activation(struct cs_call_thread *thread, __u32 func)
{
	for (__u32 i = 0; thread && i < CS_CALL_DEPTH; i++) {
		if (i >= thread->depth)
			return 0;
		if (thread->frames[i].func == func)
			return i + 1;
	}
	return 0;
}

CS_INLINE bool cs_is_top(struct cs_call_thread *thread, __u64 slot)
{
	return thread->depth > 0 && cs_top(thread)->slot == slot;
}

/* Closes the calls that share the slot: they all return together. Returns 0. */
CS_SUBPROGRAM int cs_close_slot(struct cs_call_thread *thread, __u64 slot, __u64 now_ns, int end)
{
	for (int i = 0; thread && i < CS_CALL_DEPTH && thread->depth > 0; i++) {
		if (!cs_is_top(thread, slot))
			break;
		cs_pop(thread, now_ns, end);
	}
	return 0;
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

CS_INLINE void cs_push_frame(struct cs_call_thread *thread, __u64 slot, __u64 now_ns,
			     const struct cs_opening *opening)
{
	struct cs_call_frame *frame = &thread->frames[thread->depth & (CS_CALL_DEPTH - 1)];
	struct cs_call_frame *parent = thread->depth > 0 ? cs_top(thread) : NULL;
	__u32 activation = parent ? cs_find_activation(thread, opening->func) : 0;

	frame->slot = slot;
	frame->enter_ns = now_ns;
	frame->child_ns = 0;
	frame->blocked_ns = thread->blocked_ns;
	frame->runq_ns = thread->runq_ns;
	frame->child_blocked_ns = 0;
	frame->child_runq_ns = 0;
	frame->func = opening->func;
	frame->last_func = CS_NO_NODE;
	frame->outermost = activation == 0;
	frame->shift = opening->shift;
	frame->generation = opening->generation;
	cs_call_opened(thread, frame, parent, activation);
	thread->depth++;
}

/* The call of a function begins at this slot. All that there is to do when it is left out of the
 * sample: its return would else close a dead frame of the same slot. */
CS_INLINE void cs_track_begin(struct cs_call_thread *thread, __u64 slot, __u64 now_ns, __u32 func,
			      struct cs_entry_facts *facts)
{
	thread->returned_slot = 0;
	if (cs_take_tail_jump(thread, slot, func))
		facts->slot_handed_on = 1;
	cs_close_dead(thread, slot, facts, now_ns, cs_dead_end(thread));
}

CS_INLINE enum cs_entry_result cs_track_entry(struct cs_call_thread *thread, __u64 slot,
					      __u64 now_ns, const struct cs_opening *opening,
					      struct cs_entry_facts *facts)
{
	enum cs_entry_result result = CS_ENTRY_PUSHED;

	cs_track_begin(thread, slot, now_ns, opening->func, facts);
	if (cs_is_top(thread, slot)) {
		result = CS_ENTRY_CHAINED;
		cs_close_tail_loop(thread, slot, opening->func, now_ns);
	}
	if (thread->depth >= CS_CALL_DEPTH)
		return CS_ENTRY_TOO_DEEP;
	cs_push_frame(thread, slot, now_ns, opening);
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
		cs_pop(thread, now_ns, cs_dead_end(thread));
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
 * that one returns. Else (CS_NO_FUNCTION) its time ends here. */
CS_INLINE bool cs_track_tail_jump(struct cs_call_thread *thread, __u64 slot, __u32 to_func,
				  __u64 now_ns)
{
	if (!cs_unwind_to(thread, slot, now_ns))
		return false;
	if (to_func == CS_NO_FUNCTION) {
		cs_close_slot(thread, slot, now_ns, CS_CALL_TAIL_EXIT);
		return true;
	}
	thread->tail_slot = slot;
	thread->tail_ns = now_ns;
	thread->tail_func = to_func;
	return true;
}

#endif
