/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A part of stacks/: from a Python frame to its caller. One evaluation loop of the interpreter
 * runs several frames, as Python functions call each other without a native call. */
#ifndef CALLSCOPE_BPF_PYTHON_FRAMES_BPF_H
#define CALLSCOPE_BPF_PYTHON_FRAMES_BPF_H

#include "python/code.bpf.h"
#include "python/state.bpf.h"

/* The window holds the frame at an address whole. 0: it cannot be read. */
CS_SUBPROGRAM int cs_python_move_window(struct cs_python_walk *walk, __u64 addr)
{
	__u64 off = addr & (CS_PYTHON_PAGE_BYTES - 1);

	if (!walk)
		return 0;
	if (off > CS_PYTHON_WINDOW_LAST)
		off = CS_PYTHON_WINDOW_LAST;
	walk->window_at = addr - off;
	walk->window_last = off;
	if (!cs_read_user(walk->window, off + CS_PYTHON_FRAME_BYTES, walk->window_at))
		return 1;
	walk->window_at = walk->window_last = 0;
	return 0;
}

/* The block of the frame at an address. NULL: it cannot be read. */
static __always_inline const __u8 *cs_python_read_frame(struct cs_python_walk *walk, __u64 addr)
{
	__u64 off = addr - walk->window_at;

	if (off > walk->window_last) {
		if (!cs_python_move_window(walk, addr))
			return NULL;
		off = addr - walk->window_at;
	}
	barrier_var(off);
	if (off > CS_PYTHON_WINDOW_LAST)
		return NULL; /* never */
	return walk->window + off;
}

/* Where code objects of that address are remembered. */
static __always_inline struct cs_python_recent_codes *cs_python_recent(struct cs_python_walk *walk,
								       __u64 addr)
{
	return &walk->recent[addr * CS_PYTHON_ODD >> (64 - CS_PYTHON_RECENT_BITS)];
}

static __always_inline bool cs_python_is_known(const struct cs_python_walk *walk,
					       const struct cs_python_recent_code *code, __u64 addr)
{
	return code->addr == addr && code->epoch == walk->epoch;
}

/* Reads the code object at an address, remembers it, and tells user space of it when it is new. 0:
 * there is none. */
CS_SUBPROGRAM int cs_python_meet_code(struct cs_python_walk *walk, __u64 addr)
{
	struct cs_python_recent_codes *recents;
	struct cs_python_recent_code *recent;
	__u64 identity;

	if (!walk || cs_read_user(walk->code, CS_PYTHON_CODE_BYTES, addr))
		return 0;
	if (cs_python_u64(walk->code, CS_PYTHON_TYPE) != walk->process.code_type)
		return 0;
	identity = cs_python_identify(walk, addr);
	recents = cs_python_recent(walk, addr);
	recent = &recents->code[0];
	if (recent->addr != addr) {
		recents->code[1] = *recent;
		recent->tgid = 0;
	}
	if (recent->identity != identity || recent->tgid != walk->tgid) {
		recent->tgid = cs_python_tell_code(walk, addr, identity) ? walk->tgid : 0;
		recent->identity = identity;
	}
	walk->unsent |= !recent->tgid;
	recent->addr = addr;
	recent->epoch = recent->tgid ? walk->epoch : 0;
	recent->units = cs_python_u32(walk->code, walk->process.layout.code_units);
	return 1;
}

/* The function that a frame is of. enum cs_python_end. */
static __always_inline int cs_python_read_function(struct cs_python_walk *walk, const __u8 *frame,
						   struct cs_python_frame *found)
{
	const struct cs_python_layout *layout = &walk->process.layout;
	__u64 code = cs_python_u64(frame, layout->frame_code);
	__u64 at = cs_python_u64(frame, layout->frame_instruction);
	const struct cs_python_recent_codes *recents = cs_python_recent(walk, code);
	const struct cs_python_recent_code *recent = &recents->code[0];
	__s64 instruction;

	if (!cs_python_is_known(walk, recent, code)) {
		if (cs_python_is_known(walk, &recents->code[1], code))
			recent = &recents->code[1];
		else if (!cs_python_meet_code(walk, code))
			return CS_PYTHON_BROKEN;
	}
	instruction = (__s64)(at - code - layout->code_start) >> 1;
	if (instruction < -1 || instruction >= recent->units)
		return CS_PYTHON_BROKEN;
	found->code = recent->identity;
	found->instruction = instruction;
	found->flags = 0;
	if (layout->has_is_entry && cs_python_u8(frame, layout->frame_is_entry))
		found->flags = CS_PYTHON_OUTERMOST;
	return 0;
}

/* Fills found from walk->frame and goes to the caller. enum cs_python_end. */
static __always_inline int cs_python_step(struct cs_python_walk *walk,
					  struct cs_python_frame *found)
{
	const struct cs_python_layout *layout = &walk->process.layout;
	const __u8 *frame;

	if (!walk->frame)
		return CS_PYTHON_COMPLETE;
	frame = cs_python_read_frame(walk, walk->frame);
	if (!frame)
		return CS_PYTHON_BROKEN;
	walk->frame = cs_python_u64(frame, layout->frame_previous);
	if (!layout->has_is_entry &&
	    cs_python_u8(frame, layout->frame_owner) == CS_PYTHON_OWNED_BY_C) {
		found->code = 0;
		found->instruction = -1;
		found->flags = CS_PYTHON_OUTERMOST | CS_PYTHON_NO_FRAME;
		return 0;
	}
	return cs_python_read_function(walk, frame, found);
}

#define CS_PYTHON_CHUNK 32 /* as CS_WALK_CHUNK */

/* enum cs_python_end; 0: there may be more. */
CS_SUBPROGRAM int cs_python_read_chunk(struct cs_python_walk *walk,
				       struct cs_python_stack_record *record)
{
	int end;

	if (!walk || !record)
		return CS_PYTHON_BROKEN;
	for (int i = 0; i < CS_PYTHON_CHUNK; i++) {
		__u32 n = record->n_frames;
		struct cs_python_frame *found = &record->frames[n & (CS_PYTHON_FRAMES - 1)];

		end = cs_python_step(walk, found);
		if (end)
			return end;
		record->n_frames = n + 1;
		walk->hash = cs_python_mix(walk->hash,
					   found->code + CS_PYTHON_ODD * (__u32)found->instruction);
	}
	return 0;
}

/* All frames from walk->frame on, behind those of the record. enum cs_python_end. */
CS_SUBPROGRAM int cs_python_read_frames(struct cs_python_walk *walk,
					struct cs_python_stack_record *record)
{
	int end;

	if (!walk || !record)
		return CS_PYTHON_BROKEN;
	for (int i = 0; i < CS_PYTHON_FRAMES / CS_PYTHON_CHUNK; i++) {
		end = cs_python_read_chunk(walk, record);
		if (end)
			return end;
	}
	return walk->frame ? CS_PYTHON_DEPTH : CS_PYTHON_COMPLETE;
}

#endif
