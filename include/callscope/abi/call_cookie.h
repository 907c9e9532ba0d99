/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* The attach cookie of a probe of the calls object: what the probe stands on and for which
 * function. Made by userspace/collect, taken apart by bpf/calls.bpf.c. Pure functions.
 *
 *   bits  0..23  function, CS_NO_FUNCTION for none
 *   bits 24..27  enum cs_probe_kind
 *   bit  28      generation: an event counts only if it is that of cs_func_ctl, which says more
 *   bit  29      the return slot is found from rbp, else from rsp
 *   bits 40..63  for CS_PROBE_TAIL: the function that is jumped to, CS_NO_FUNCTION if unknown;
 *                for all others: distance from that register up to the return slot, in 8 bytes
 */
#ifndef CALLSCOPE_ABI_CALL_COOKIE_H
#define CALLSCOPE_ABI_CALL_COOKIE_H

#ifndef __bpf__
#include <linux/types.h>
#include <stdbool.h>
#endif

/* Of hooks, which belong to none, and as the target of a jump to what is not known. */
#define CS_NO_FUNCTION 0xffffffu

#define CS_COOKIE_GENERATION (1ull << 28)
#define CS_COOKIE_RBP	     (1ull << 29)

enum cs_probe_kind {
	CS_PROBE_ENTRY,	 /* a call begins; its end is seen by a return probe or by exit sites */
	CS_PROBE_COUNT,	 /* a call begins; it is only counted */
	CS_PROBE_RET,	 /* on a ret instruction, or on what always leads to one */
	CS_PROBE_TAIL,	 /* on a tail jump */
	CS_PROBE_THROW,	 /* entry of __cxa_throw and the like: an exception is in flight */
	CS_PROBE_CATCH,	 /* entry of __cxa_begin_catch: what lies below was thrown through */
	CS_PROBE_LOADER, /* the dynamic loader has mapped or unmapped something */
};

static inline __attribute__((always_inline)) __u64 cs_cookie(enum cs_probe_kind kind, __u32 func,
							     __u32 high)
{
	return (func & CS_NO_FUNCTION) | (__u64)kind << 24 | (__u64)high << 40;
}

static inline __attribute__((always_inline)) __u32 cs_cookie_func(__u64 cookie)
{
	return (__u32)(cookie & CS_NO_FUNCTION);
}

static inline __attribute__((always_inline)) __u32 cs_cookie_kind(__u64 cookie)
{
	return (__u32)(cookie >> 24) & 0xf;
}

static inline __attribute__((always_inline)) __u32 cs_cookie_generation(__u64 cookie)
{
	return cookie & CS_COOKIE_GENERATION ? 1 : 0;
}

static inline __attribute__((always_inline)) __u32 cs_cookie_high(__u64 cookie)
{
	return (__u32)(cookie >> 40);
}

/* Address of the return address, from the registers at the probe. */
static inline __attribute__((always_inline)) __u64 cs_cookie_slot(__u64 cookie, __u64 sp, __u64 bp)
{
	return (cookie & CS_COOKIE_RBP ? bp : sp) + (__u64)cs_cookie_high(cookie) * 8;
}

#endif
