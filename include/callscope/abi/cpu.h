/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What bpf/cpu.bpf.c and userspace/collect/cpu share: configuration, the key of a counted stack and
 * the records of the ring buffer. Every record begins with its kind and its size. */
#ifndef CALLSCOPE_ABI_CPU_H
#define CALLSCOPE_ABI_CPU_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

#define CS_STACK_MAX 127 /* frames of each half: kernel.perf_event_max_stack by default */
#define CS_COMM_LEN  16

/* rodata of the cpu object, set between open and load. */
struct cs_cpu_config {
	__u32 follow_children; /* 1: forked children become targets */
	__u32 log_samples;     /* 1: each sample is also sent on its own, with its time */
};

/* Key of map cs_stack_counts. */
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

#define CS_RECORD_STACK	 1 /* beside the kinds of abi/process.h */
#define CS_RECORD_SAMPLE 2

enum cs_stack_flags {
	CS_STACK_TRUNCATED = 1,	 /* the walk stopped at CS_STACK_MAX */
	CS_STACK_UNREADABLE = 2, /* the user stack could not be walked */
};

/* CS_RECORD_STACK: sent when a key is first seen; only the used frames are sent. */
struct cs_stack_record {
	__u32 kind;
	__u32 size; /* of the record in bytes, frames included */
	struct cs_stack_key key;
	__u32 n_kernel; /* frames[0 .. n_kernel-1], leaf first */
	__u32 n_user;	/* behind them, leaf first */
	__u32 flags;	/* enum cs_stack_flags */
	__u32 pad;
	char comm[CS_COMM_LEN];
	__u64 frames[2 * CS_STACK_MAX];
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
static_assert(sizeof(struct cs_cpu_config) == 8, "abi");
static_assert(sizeof(struct cs_stack_key) == 16, "abi");
static_assert(sizeof(struct cs_stack_count) == 16, "abi");
static_assert(sizeof(struct cs_stack_record) == 56 + 16 * CS_STACK_MAX, "abi");
#endif

#endif
