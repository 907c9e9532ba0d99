/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Walks the stack of the interrupted thread into a stack record: the one place that knows how. Now
 * the kernel's frame-pointer walk; another unwinder replaces cs_walk_user and nothing else. */
#ifndef CALLSCOPE_BPF_UNWIND_BPF_H
#define CALLSCOPE_BPF_UNWIND_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "callscope/abi/cpu.h"

/* Appends at most CS_STACK_MAX frames at frames[at]; the number of them, negative if unreadable. */
static __always_inline long cs_walk(void *ctx, struct cs_stack_record *record, __u32 at,
				    __u64 flags)
{
	long bytes;

	if (at > CS_STACK_MAX)
		return -1;
	bytes = bpf_get_stack(ctx, &record->frames[at], CS_STACK_MAX * sizeof(__u64), flags);
	return bytes < 0 ? bytes : bytes / (long)sizeof(__u64);
}

static __always_inline long cs_walk_kernel(void *ctx, struct cs_stack_record *record)
{
	return cs_walk(ctx, record, 0, 0);
}

static __always_inline long cs_walk_user(void *ctx, struct cs_stack_record *record, __u32 at)
{
	return cs_walk(ctx, record, at, BPF_F_USER_STACK);
}

/* Fills frames, their numbers and the flags of the record. False: the user half was unreadable. */
static __always_inline bool cs_walk_stack(void *ctx, struct cs_stack_record *record)
{
	long kernel = cs_walk_kernel(ctx, record);
	long user;

	record->flags = 0;
	record->n_kernel = kernel < 0 ? 0 : kernel;
	user = cs_walk_user(ctx, record, record->n_kernel);
	record->n_user = user < 0 ? 0 : user;
	if (kernel >= CS_STACK_MAX || user >= CS_STACK_MAX)
		record->flags |= CS_STACK_TRUNCATED;
	if (user <= 0)
		record->flags |= CS_STACK_UNREADABLE;
	return user > 0;
}

/* 64-bit hash over all frames of the record; two stacks collide with a chance of 2^-64. */
static __always_inline __u64 cs_hash_stack(const struct cs_stack_record *record)
{
	__u64 hash = 0x9e3779b97f4a7c15ull ^ record->n_kernel;
	__u32 n_frames = record->n_kernel + record->n_user;

	for (__u32 i = 0; i < 2 * CS_STACK_MAX; i++) {
		if (i >= n_frames)
			break;
		hash = (hash ^ record->frames[i]) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 32;
	}
	return hash;
}

#endif
