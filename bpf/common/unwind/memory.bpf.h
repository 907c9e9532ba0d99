/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The stack memory of the walked thread, read in pieces. Pure logic, also compiled in user space by
 * tests/unit/unwind. The includer defines before:
 *   cs_read_user(to, size, from)       0 if user memory could be read */
#ifndef CALLSCOPE_BPF_UNWIND_MEMORY_BPF_H
#define CALLSCOPE_BPF_UNWIND_MEMORY_BPF_H

#include "common/unwind/state.bpf.h"

/* 0: the window holds the word at from. */
CS_SUBPROGRAM int cs_move_window(struct cs_unwind *walk, __u64 from)
{
	if (!walk || from & 7)
		return CS_STACK_READ_FAULT;
	walk->window_at = from - CS_WINDOW_BELOW;
	walk->window_bytes = sizeof(walk->window);
	if (!cs_read_user(walk->window, sizeof(walk->window), walk->window_at))
		return 0;
	/* There may be no memory around it. */
	walk->window_at = from;
	walk->window_bytes = sizeof(walk->window[0]);
	if (!cs_read_user(walk->window, sizeof(walk->window[0]), from))
		return 0;
	walk->window_bytes = 0;
	return CS_STACK_READ_FAULT;
}

/* The word at an address on the stack; all are aligned. enum cs_stack_end. */
CS_INLINE int cs_read_stack(struct cs_unwind *walk, __u64 from, __u64 *value)
{
	__u64 off = from - walk->window_at;

	if ((off >= walk->window_bytes || off & 7) && cs_move_window(walk, from))
		return CS_STACK_READ_FAULT;
	off = from - walk->window_at;
	CS_OPAQUE(off);
	*value = walk->window[(off >> 3) & (CS_WINDOW_WORDS - 1)];
	return 0;
}

#endif
