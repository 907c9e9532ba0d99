/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What bpf/calls.bpf.c and userspace/collect/calls share: configuration, per-thread shadow stack
 * and per-function statistics. Written by BPF with atomic adds, read by user space through mmap. */
#ifndef CALLSCOPE_ABI_CALLS_H
#define CALLSCOPE_ABI_CALLS_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

/* The kernel keeps at most 64 pending return probes a thread (MAX_URETPROBE_DEPTH). */
#define CS_CALL_DEPTH 64

/* rodata of the calls object, set between open and load. */
struct cs_call_config {
	__u32 tgid;	   /* the target process, as the initial PID namespace counts */
	__u32 n_functions; /* cookies are 0 .. n_functions-1 */
	__u32 n_shards;	   /* power of two; a CPU writes shard cpu & (n_shards - 1) */
	__u32 pad;
};

/* Cookie of an exit probe (ret or tail jump): the function in the low half, in the high half what
 * kind of exit it is. Entry and return probes have the function alone. */
#define CS_EXIT_RET	     0u /* a ret instruction */
#define CS_EXIT_TAIL_UNKNOWN 1u /* a jump to a function that is not probed */
#define CS_EXIT_TAIL_FUNC    2u /* plus n: a jump to probed function n */

/* The function of exit probes in a tail callee that is not itself asked for: they end the calls of
 * those that jump to it. */
#define CS_NO_FUNCTION 0xffffffffu

/* One open call. */
struct cs_call_frame {
	__u64 slot;	 /* address of the return address: identifies the frame */
	__u64 enter_ns;	 /* CLOCK_MONOTONIC at the entry probe */
	__u64 child_ns;	 /* time spent in probed callees so far */
	__u32 func;	 /* cookie */
	__u32 outermost; /* 1: no other activation of func is open on this thread */
};

/* Task storage of the calls object: one thread's open calls, outermost first. */
struct cs_call_thread {
	__u32 depth;	     /* 0 .. CS_CALL_DEPTH */
	__u32 exec_id;	     /* task->self_exec_id of the frames: another exec makes them void */
	__u64 returned_slot; /* slot of the last return while no entry came since; else 0 */
	__u64 tail_slot;     /* a probed tail jump has just left this slot to tail_func; else 0 */
	__u64 tail_ns;	     /* when */
	__u32 tail_func;
	__u32 pad;
	struct cs_call_frame frames[CS_CALL_DEPTH];
};

/* Element func + shard * n_functions of map cs_call_stats. Durations in ns. Atomic adds are dear in
 * a probe, so what follows from other counters is not kept: returns are the sum of the histogram,
 * calls = returns + unwound + untimed + running, total = sum + unwound_ns - nested_ns,
 * self = sum + unwound_ns - child_ns. */
struct cs_call_stats {
	__u64 sum_ns;  /* returned activations */
	__u64 min_inv; /* ~minimum, so that zeroed memory means "none yet" and both are maxima */
	__u64 max_ns;
	__u64 child_ns;	  /* the part of all durations that was spent in probed callees */
	__u64 nested_ns;  /* activations while another one of the function was open */
	__u64 unwound_ns; /* unwound activations, up to the moment that this was known */
	__u64 unwound;	  /* calls that never returned: longjmp, thread exit, exec */
	__u64 untimed;	  /* calls for which no return probe was possible */
	__u64 tail_exits; /* returned activations that ended with a jump to an unknown function */
	__u64 running;	  /* open when the recording stopped or the process ended */
};

#ifndef __bpf__
static_assert(sizeof(struct cs_call_config) == 16, "abi");
static_assert(sizeof(struct cs_call_frame) == 32, "abi");
static_assert(sizeof(struct cs_call_thread) == 40 + 32 * CS_CALL_DEPTH, "abi");
static_assert(sizeof(struct cs_call_stats) == 80, "abi");
#endif

#endif
