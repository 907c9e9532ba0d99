/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What bpf/offcpu.bpf.c and userspace/bpf share: waits of threads by the stack that they wait in.
 * The stacks themselves come through the ring buffer of the cpu object (abi/cpu.h). */
#ifndef CALLSCOPE_ABI_OFF_CPU_H
#define CALLSCOPE_ABI_OFF_CPU_H

#ifndef __bpf__
#include <stdbool.h>
#endif

#include "callscope/abi/cpu.h"

#define CS_WAITING_THREADS 32768 /* at one time, of all targets */

/* rodata of the offcpu object, set between open and load. */
struct cs_off_cpu_config {
	__u32 python; /* as in cs_cpu_config */
};

/* Value of map cs_waiting, by tid: a thread that is off CPU now. Times by CLOCK_MONOTONIC. */
struct cs_wait {
	struct cs_stack_key key;
	__u64 off_ns;
	__u64 wake_ns;	 /* 0: it was not woken yet */
	__u32 preempted; /* 1: it could have gone on */
	__u32 pad;
};

/* Value of map cs_wait_times, by cs_stack_key: waits that are over. */
struct cs_wait_time {
	__u64 count;
	__u64 blocked_ns; /* asleep */
	__u64 runq_ns;	  /* ready, but without a CPU */
	__u32 sent;	  /* 1: user space was sent the frames */
	__u32 pad;
};

struct cs_off_cpu_time {
	__u64 blocked_ns;
	__u64 runq_ns;
};

/* What of a time off CPU from off_ns to now_ns is sleep. wake_ns: of its last wake-up, maybe an
 * earlier one. preempted: it could have gone on. */
static inline __attribute__((always_inline)) struct cs_off_cpu_time
cs_split_off_cpu(__u64 off_ns, __u64 wake_ns, bool preempted, __u64 now_ns)
{
	struct cs_off_cpu_time time = {};

	if (preempted)
		wake_ns = off_ns;
	else if (wake_ns < off_ns || wake_ns > now_ns)
		wake_ns = now_ns; /* its wake-up was not seen: all of it counts as sleep */
	time.blocked_ns = wake_ns - off_ns;
	time.runq_ns = now_ns - wake_ns;
	return time;
}

#ifndef __bpf__
static_assert(sizeof(struct cs_wait) == 40, "abi");
static_assert(sizeof(struct cs_wait_time) == 32, "abi");
#endif

#endif
