/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A part of stacks/: the Python half of a stack whose native half has been walked. */
#ifndef CALLSCOPE_BPF_PYTHON_STACK_BPF_H
#define CALLSCOPE_BPF_PYTHON_STACK_BPF_H

#include "common/kernel_types.bpf.h"
#include "common/unwind/registers.bpf.h"
#include "python/frames.bpf.h"
#include "python/threads.bpf.h"

/* Unused ones are looked at, too: 6.1 takes three times as long to verify an end before them. */
static __always_inline bool cs_python_in_loop(const struct cs_python_process *process, __u64 addr)
{
	for (int i = 0; i < CS_PYTHON_EVALS; i++) {
		const struct cs_python_range *eval = &process->evals[i];

		if (addr - eval->start < eval->end - eval->start)
			return true;
	}
	return false;
}

/* Whether there are frames of the evaluation loop. Where in it they are is of no interest once they
 * are replaced: with hide all get one address, so that they make no different stacks. */
CS_SUBPROGRAM int cs_python_loops(const struct cs_python_walk *walk, struct cs_user_frames *frames,
				  __u32 n_user, int hide)
{
	if (!walk || !frames)
		return 0;
	for (__u32 i = 0; i < CS_USER_FRAMES; i++) {
		__u64 is_return = i > 0;

		if (i >= n_user)
			break;
		if (!cs_python_in_loop(&walk->process, frames->addr[i] - is_return))
			continue;
		if (!hide)
			return 1;
		frames->addr[i] = walk->process.evals[0].start + is_return;
	}
	return 0;
}

static __always_inline bool cs_is_in_a_register(const struct cs_unwind *registers, __u64 value)
{
	bool found = false;

	for (int i = 0; i < CS_REG_COUNT; i++)
		found |= registers->regs[i] == value;
	return found;
}

/* The thread stands at the beginning of the loop, where this builds its record of frames and links
 * it, in an order that is the compiler's. What is linked is right if it names the frame that the
 * loop is about to run, which is in a register then. */
static __always_inline bool cs_python_is_linked(void *interrupted, struct cs_python_walk *walk,
						struct cs_unwind *registers)
{
	const struct cs_python_layout *layout = &walk->process.layout;
	const __u8 *frame;
	__u64 sp, previous;

	if (!cs_get_interrupted(interrupted, bpf_get_current_task_btf(), registers))
		return false;
	sp = registers->regs[CS_REG_RSP];
	if (layout->by_cframe && walk->cframe - sp >= walk->process.eval_bytes)
		return true; /* not yet: it is that of the loop outside */
	if (!cs_is_in_a_register(registers, walk->frame))
		return !layout->by_cframe;
	frame = cs_python_read_frame(walk, walk->frame);
	if (!frame)
		return false;
	if (layout->has_is_entry)
		return cs_python_u8(frame, layout->frame_is_entry);
	previous = cs_python_u64(frame, layout->frame_previous);
	return previous - sp < walk->process.eval_bytes;
}

/* Fills the record but for its key; walk->process is set. False: the stack has no Python half. */
static __always_inline bool cs_python_walk_stack(void *interrupted, struct cs_unwind *registers,
						 struct cs_stack_record *stack,
						 struct cs_python_walk *walk,
						 struct cs_python_stack_record *record)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct cs_user_frames *frames = (struct cs_user_frames *)stack->frames;
	__u64 in_prologue;

	if (!cs_python_loops(walk, frames, stack->n_user, 0))
		return false;
	walk->number++;
	walk->epoch =
	    walk->process.watched ? walk->process.generation : CS_PYTHON_WALK_EPOCH | walk->number;
	walk->tgid = task->tgid;
	walk->unsent = 0;
	walk->window_at = 0;
	walk->window_last = 0;
	walk->hash = 1;
	walk->fsbase = task->thread.fsbase;
	record->n_frames = 0;
	record->end = CS_PYTHON_NO_THREAD;
	if (!cs_python_find_thread(walk, task->pid))
		return true;
	in_prologue = stack->frames[0] - walk->process.evals[0].start;
	if (in_prologue < walk->process.prologue_end - walk->process.evals[0].start &&
	    !cs_python_is_linked(interrupted, walk, registers)) {
		record->end = CS_PYTHON_LINKING;
		return true;
	}
	record->end = cs_python_read_frames(walk, record);
	if (record->end == CS_PYTHON_COMPLETE || record->end == CS_PYTHON_DEPTH)
		cs_python_loops(walk, frames, stack->n_user, 1);
	return true;
}

/* A forked child has its parent's interpreter, but nobody watches its code objects yet. */
static __always_inline void cs_python_forked(__u32 parent_tgid, __u32 tgid)
{
	struct cs_python_process *parent = bpf_map_lookup_elem(&cs_python_processes, &parent_tgid);
	struct cs_python_process *child;

	if (!parent || bpf_map_update_elem(&cs_python_processes, &tgid, parent, BPF_ANY))
		return;
	child = bpf_map_lookup_elem(&cs_python_processes, &tgid);
	if (child)
		child->watched = 0;
}

/* A code object of the current process is about to be freed. */
static __always_inline void cs_python_code_goes(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct cs_python_process *process = bpf_map_lookup_elem(&cs_python_processes, &tgid);

	if (process)
		__sync_fetch_and_add(&process->generation, 1);
}

#endif
