/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What the objects that count stacks share with user space: the key of a counted stack and the
 * records of the ring buffer; and the configuration of bpf/cpu.bpf.c. Every record begins with its
 * kind and its size. */
#ifndef CALLSCOPE_ABI_CPU_H
#define CALLSCOPE_ABI_CPU_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

#include "callscope/abi/code.h"

#define CS_KERNEL_FRAMES 127 /* of a stack, at most: kernel.perf_event_max_stack by default */
#define CS_COMM_LEN	 16

/* rodata of the cpu object, set between open and load. */
struct cs_cpu_config {
	__u32 follow_children; /* 1: forked children become targets */
	__u32 log_samples;     /* 1: each sample is also sent on its own, with its time */
	__u32 python; /* 0: no process has Python frames; the verifier is spared that code */
};

/* Key of maps cs_stack_counts, and of those of other objects that count by stack. */
struct cs_stack_key {
	__u64 hash; /* of all frames, kernel and user */
	__u32 tgid;
	__u32 tid;
};

struct cs_stack_count {
	__u64 count;
	__u32 sent; /* 1: user space was sent the frames */
	__u32 pad;
};

#define CS_RECORD_STACK	      1 /* beside the kinds of abi/process.h */
#define CS_RECORD_SAMPLE      2
#define CS_RECORD_MISSED      3
#define CS_RECORD_WAIT_STACK  6 /* of the offcpu object: a thread waits in it */
#define CS_RECORD_FAULT_STACK 7 /* of the memory object: it touched memory that was not there */

/* CS_RECORD_STACK, CS_RECORD_WAIT_STACK, CS_RECORD_FAULT_STACK: sent when a key is first seen; only
 * the used frames are sent. */
struct cs_stack_record {
	__u32 kind;
	__u32 size; /* of the record in bytes, frames included */
	struct cs_stack_key key;
	__u32 n_user;	  /* frames[0 .. n_user-1], leaf first */
	__u32 n_kernel;	  /* behind them, leaf first */
	__u32 end;	  /* enum cs_stack_end, of the user half */
	__u16 kernel_cut; /* 1: the kernel half had more than CS_KERNEL_FRAMES */
	__u16 left_out;	  /* 1: frames are left out behind frames[CS_INNER_FRAMES-1] */
	char comm[CS_COMM_LEN];
	__u64 frames[CS_USER_FRAMES + CS_KERNEL_FRAMES];
};

/* CS_RECORD_MISSED: a walk came to code that is in no range of the process. Rate-limited. */
struct cs_missed_record {
	__u32 kind;
	__u32 size;
	__u32 tgid;
	__u32 pad;
	__u64 addr;
};

/* CS_RECORD_SAMPLE: one sample, behind the record of its stack. */
struct cs_sample_record {
	__u32 kind;
	__u32 size;
	struct cs_stack_key key;
	__u64 t_ns; /* CLOCK_MONOTONIC */
};

#ifndef __bpf__
static_assert(sizeof(struct cs_sample_record) == 32, "abi");
static_assert(sizeof(struct cs_cpu_config) == 12, "abi");
static_assert(sizeof(struct cs_stack_key) == 16, "abi");
static_assert(sizeof(struct cs_stack_count) == 16, "abi");
static_assert(sizeof(struct cs_stack_record) == 56 + 8 * (CS_USER_FRAMES + CS_KERNEL_FRAMES),
	      "abi");
static_assert(sizeof(struct cs_missed_record) == 24, "abi");
#endif

#endif
