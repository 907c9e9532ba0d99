/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Records that bpf/calls.bpf.c sends to user space through its ring buffer: rare events that need
 * an answer, and slow calls. Every record begins with its kind and its size. */
#ifndef CALLSCOPE_ABI_CALL_RECORDS_H
#define CALLSCOPE_ABI_CALL_RECORDS_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

#include "callscope/abi/code.h"

enum cs_call_record_kind {
	CS_CALL_RECORD_LOADER = 1, /* a target's dynamic loader has finished a change */
	CS_CALL_RECORD_HOT,	   /* a function bursts its budget */
	CS_CALL_RECORD_SLOW,	   /* a call took longer than its threshold */
};

/* CS_CALL_RECORD_LOADER and _HOT. */
struct cs_call_event {
	__u32 kind;
	__u32 size;
	__u32 tgid;
	__u32 func; /* HOT: the function; else 0 */
};

/* CS_CALL_RECORD_SLOW; only the used frames are sent. */
struct cs_slow_record {
	__u32 kind;
	__u32 size; /* of the record in bytes, frames included */
	__u32 tgid;
	__u32 tid;
	__u32 func;
	__u32 n_frames; /* callers of the function, innermost first: return addresses */
	__u32 end;	/* enum cs_stack_end */
	__u32 left_out; /* 1: frames are left out behind frames[CS_INNER_FRAMES-1] */
	__u64 enter_ns; /* CLOCK_MONOTONIC */
	__u64 duration_ns;
	__u64 blocked_ns;
	__u64 runq_ns;
	__u64 args[6];
	__u64 frames[CS_USER_FRAMES];
};

#ifndef __bpf__
static_assert(sizeof(struct cs_call_event) == 16, "abi");
static_assert(sizeof(struct cs_slow_record) == 112 + 8 * CS_USER_FRAMES, "abi");
#endif

#endif
