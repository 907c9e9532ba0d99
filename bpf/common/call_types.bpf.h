/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The vocabulary of the call tracker: how a call may end, what an entry is told, what a finished
 * call took. Plain types, compiled for BPF and in user space. */
#ifndef CALLSCOPE_BPF_CALL_TYPES_BPF_H
#define CALLSCOPE_BPF_CALL_TYPES_BPF_H

#include "callscope/abi/call_cookie.h"
#include "callscope/abi/calls.h"

#define CS_INLINE static inline __attribute__((always_inline))
/* Verified on its own, once, instead of once for each turn of each loop that calls it: without that
 * the verifier gives up (E2BIG). It knows the argument as memory of that size that may be NULL. */
#ifdef __bpf__
#define CS_SUBPROGRAM __attribute__((noinline))
#ifndef NULL
#define NULL ((void *)0)
#endif
#else
#define CS_SUBPROGRAM static inline
#endif
/* Hides from the compiler what it knows of a value, so that a bound stays where the verifier sees
 * it. */
#ifdef __bpf__
#define CS_OPAQUE(value) asm volatile("" : "+r"(value))
#else
#define CS_OPAQUE(value)
#endif

/* Calls stand for at most 2^15 others; a power of two minus one, to mask with. */
#define CS_MAX_SHIFT 15

enum cs_call_end {
	CS_CALL_RETURNED,
	CS_CALL_TAIL_EXIT, /* left by a tail call whose end is not seen */
	CS_CALL_UNWOUND,   /* left without a return */
	CS_CALL_THREW,	   /* the same, seen when the exception was caught */
	CS_CALL_RUNNING,   /* the process ended, or the recording stopped, inside of it */
};

enum cs_entry_result {
	CS_ENTRY_PUSHED,   /* wants a return probe */
	CS_ENTRY_CHAINED,  /* tail call: the return probe of the slot's first owner serves it */
	CS_ENTRY_TOO_DEEP, /* not tracked */
};

/* Facts about the thread at an entry; only looked at when frames may be dead. No hole in it:
 * subprograms of Linux 6.1 take no memory that was not written. */
struct cs_entry_facts {
	__u64 alt_stack;      /* alternate signal stack: lowest address, 0 = none */
	__u64 alt_stack_size; /* bytes */
	__u64 slot_handed_on; /* 1: a tail call: the slot holds the return-probe trampoline */
};

/* What is known of a call that begins. */
struct cs_opening {
	__u32 func;
	__u8 shift;	 /* it stands for 2^shift calls */
	__u8 generation; /* of its probe */
};

/* What a finished call took, ns. */
struct cs_call_span {
	__u64 total_ns;
	__u64 blocked_ns; /* of total_ns: asleep */
	__u64 runq_ns;	  /* of total_ns: ready, waiting for a CPU */
};

#endif
