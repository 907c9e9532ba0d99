/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* From the leaf to the outermost frame: which frames are kept. Pure logic, also compiled in user
 * space by tests/unit/unwind. */
#ifndef CALLSCOPE_BPF_UNWIND_WALK_BPF_H
#define CALLSCOPE_BPF_UNWIND_WALK_BPF_H

#include "common/unwind/step.bpf.h"

#define CS_WALK_CHUNK 64 /* the verifier follows each loop on its own */

CS_SUBPROGRAM int cs_unwind_chunk(struct cs_unwind *walk, struct cs_user_frames *frames)
{
	int end = 0;

	if (!walk || !frames)
		return CS_STACK_NO_USER;
	for (int i = 0; i < CS_WALK_CHUNK && !end; i++) {
		__u64 n = walk->depth;

		walk->depth = n + 1;
		if (n < CS_INNER_FRAMES) {
			CS_OPAQUE(n);
			frames->addr[n & (CS_INNER_FRAMES - 1)] = walk->pc;
		} else {
			walk->outer[n & (CS_OUTER_FRAMES - 1)] = walk->pc;
		}
		end = cs_go_to_caller(walk);
	}
	return end;
}

/* Puts the outermost frames behind the others. The number of all that are kept; walk->left_out:
 * there were more between the two. */
CS_SUBPROGRAM int cs_keep_outer_frames(struct cs_unwind *walk, struct cs_user_frames *frames)
{
	__u32 n = 0;

	if (!walk || !frames)
		return 0;
	if (walk->depth <= CS_INNER_FRAMES)
		return walk->depth;
	n = walk->depth - CS_INNER_FRAMES;
	walk->left_out = n > CS_OUTER_FRAMES;
	if (walk->left_out)
		n = CS_OUTER_FRAMES;
	for (__u32 i = 0; i < CS_OUTER_FRAMES && i < n; i++)
		frames->addr[CS_INNER_FRAMES + i] =
		    walk->outer[(walk->depth - n + i) & (CS_OUTER_FRAMES - 1)];
	return CS_INNER_FRAMES + n;
}

/* Fills frames from the registers in walk on. The number of frames << 8 | enum cs_stack_end. */
CS_SUBPROGRAM int cs_unwind_frames(struct cs_unwind *walk, struct cs_user_frames *frames)
{
	int end;

	if (!walk || !frames)
		return CS_STACK_NO_USER;
	walk->missed = 0;
	walk->depth = 0;
	walk->left_out = 0;
	frames->addr[0] = walk->pc;
	end = cs_enter_frame(walk);
	if (end)
		return 1 << 8 | end;
	for (int i = 0; i < CS_WALK_FRAMES / CS_WALK_CHUNK && !end && walk->depth < walk->limit;
	     i++)
		end = cs_unwind_chunk(walk, frames);
	if (!end)
		return CS_INNER_FRAMES << 8 | CS_STACK_DEPTH;
	return cs_keep_outer_frames(walk, frames) << 8 | end;
}

#endif
