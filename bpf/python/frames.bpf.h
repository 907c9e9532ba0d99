/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A part of stacks/: from a Python frame to its caller. One evaluation loop of the interpreter
 * runs several frames, as Python functions call each other without a native call. */
#ifndef CALLSCOPE_BPF_PYTHON_FRAMES_BPF_H
#define CALLSCOPE_BPF_PYTHON_FRAMES_BPF_H

#include "python/code.bpf.h"
#include "python/state.bpf.h"

/* The block of the frame at an address. NULL: it cannot be read. */
static __always_inline const __u8 *cs_python_read_frame(struct cs_python_walk *walk, __u64 addr)
{
	__u64 off = addr - walk->window_at;

	if (off > walk->window_last) {
		off = addr & (CS_PYTHON_PAGE_BYTES - 1);
		if (off > CS_PYTHON_WINDOW_LAST)
			off = CS_PYTHON_WINDOW_LAST;
		walk->window_at = addr - off;
		walk->window_last = off;
		if (cs_read_user(walk->window, off + CS_PYTHON_FRAME_BYTES, walk->window_at)) {
			walk->window_at = walk->window_last = 0;
			return NULL;
		}
	}
	barrier_var(off);
	if (off > CS_PYTHON_WINDOW_LAST)
		return NULL; /* never */
	return walk->window + off;
}

/* Reads the code object at an address, and tells user space of it when it is new. False: there is
 * none. */
static __always_inline bool cs_python_meet_code(struct cs_python_walk *walk,
						struct cs_python_recent_code *recent, __u64 addr)
{
	__u64 identity;

	if (cs_read_user(walk->code, CS_PYTHON_CODE_BYTES, addr))
		return false;
	if (cs_python_u64(walk->code, CS_PYTHON_TYPE) != walk->process.code_type)
		return false;
	identity = cs_python_identify(walk, addr);
	if (recent->identity != identity || recent->tgid != walk->tgid) {
		recent->tgid = cs_python_tell_code(walk, addr, identity) ? walk->tgid : 0;
		recent->identity = identity;
	}
	walk->unsent |= !recent->tgid;
	recent->addr = addr;
	recent->walk = walk->number;
	recent->units = cs_python_u32(walk->code, walk->process.layout.code_units);
	return true;
}

/* The function that a frame is of. */
static __always_inline int cs_python_read_function(struct cs_python_walk *walk, const __u8 *frame)
{
	const struct cs_python_layout *layout = &walk->process.layout;
	__u64 code = cs_python_u64(frame, layout->frame_code);
	__u64 at = cs_python_u64(frame, layout->frame_instruction);
	struct cs_python_recent_code *recent =
	    &walk->recent[(code >> 4 ^ code >> 8) & (CS_PYTHON_RECENT_CODES - 1)];
	__s64 instruction;

	if (recent->addr != code || recent->walk != walk->number)
		if (!cs_python_meet_code(walk, recent, code))
			return CS_PYTHON_BROKEN;
	instruction = (__s64)(at - code - layout->code_start) >> 1;
	if (instruction < -1 || instruction >= recent->units)
		return CS_PYTHON_BROKEN;
	walk->found.code = recent->identity;
	walk->found.instruction = instruction;
	walk->found.flags = 0;
	if (layout->has_is_entry && cs_python_u8(frame, layout->frame_is_entry))
		walk->found.flags = CS_PYTHON_OUTERMOST;
	return 0;
}

/* Fills walk->found and goes to the caller. enum cs_python_end. */
CS_SUBPROGRAM int cs_python_step(struct cs_python_walk *walk)
{
	const struct cs_python_layout *layout;
	const __u8 *frame;

	if (!walk)
		return CS_PYTHON_BROKEN;
	layout = &walk->process.layout;
	if (!walk->frame)
		return CS_PYTHON_COMPLETE;
	frame = cs_python_read_frame(walk, walk->frame);
	if (!frame)
		return CS_PYTHON_BROKEN;
	walk->frame = cs_python_u64(frame, layout->frame_previous);
	if (!layout->has_is_entry &&
	    cs_python_u8(frame, layout->frame_owner) == CS_PYTHON_OWNED_BY_C) {
		walk->found.code = 0;
		walk->found.instruction = -1;
		walk->found.flags = CS_PYTHON_OUTERMOST | CS_PYTHON_NO_FRAME;
		return 0;
	}
	return cs_python_read_function(walk, frame);
}

/* All frames from walk->frame on. enum cs_python_end. */
CS_SUBPROGRAM int cs_python_read_frames(struct cs_python_walk *walk,
					struct cs_python_stack_record *record)
{
	int end;

	if (!walk || !record)
		return CS_PYTHON_BROKEN;
	for (__u32 n = 0; n < CS_PYTHON_FRAMES; n++) {
		record->n_frames = n;
		end = cs_python_step(walk);
		if (end)
			return end;
		record->frames[n] = walk->found;
		walk->hash = cs_python_mix(walk->hash, walk->found.code);
		walk->hash = cs_python_mix(walk->hash, (__u32)walk->found.instruction);
	}
	record->n_frames = CS_PYTHON_FRAMES;
	return walk->frame ? CS_PYTHON_DEPTH : CS_PYTHON_COMPLETE;
}

#endif
