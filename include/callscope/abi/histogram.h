/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Log-linear latency histogram, shared by BPF (which fills it) and user space (which reads it).
 * 16 linear slots for each power of two: a value is known within 1/16 of itself, so the middle of
 * a slot is at most 3.2 % off. Values below 16 ns are exact; values from 2^40 ns (18 minutes) on
 * fall into the last slot. Pure functions, no state. */
#ifndef CALLSCOPE_ABI_HISTOGRAM_H
#define CALLSCOPE_ABI_HISTOGRAM_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define CS_HIST_SUB_BITS  4
#define CS_HIST_SUB_SLOTS (1 << CS_HIST_SUB_BITS)
#define CS_HIST_MAX_BITS  40
#define CS_HIST_SLOTS	  ((CS_HIST_MAX_BITS - CS_HIST_SUB_BITS + 1) * CS_HIST_SUB_SLOTS)

struct cs_call_hist {
	__u64 slots[CS_HIST_SLOTS];
};

/* Index of the highest set bit; value must not be 0. Branches instead of clz: BPF has none. */
static inline __attribute__((always_inline)) __u32 cs_log2(__u64 value)
{
	__u32 bits = 0;

	if (value >> 32) {
		bits += 32;
		value >>= 32;
	}
	if (value >> 16) {
		bits += 16;
		value >>= 16;
	}
	if (value >> 8) {
		bits += 8;
		value >>= 8;
	}
	if (value >> 4) {
		bits += 4;
		value >>= 4;
	}
	if (value >> 2) {
		bits += 2;
		value >>= 2;
	}
	if (value >> 1) {
		bits += 1;
	}
	return bits;
}

/* Slot of a duration in ns, always < CS_HIST_SLOTS. */
static inline __attribute__((always_inline)) __u32 cs_hist_slot(__u64 ns)
{
	__u32 exponent;

	if (ns < CS_HIST_SUB_SLOTS)
		return (__u32)ns;
	if (ns >> CS_HIST_MAX_BITS)
		return CS_HIST_SLOTS - 1;
	exponent = cs_log2(ns);
	return (exponent - CS_HIST_SUB_BITS + 1) * CS_HIST_SUB_SLOTS +
	       ((__u32)(ns >> (exponent - CS_HIST_SUB_BITS)) & (CS_HIST_SUB_SLOTS - 1));
}

/* Smallest value of a slot, in ns. The slot ends where the next one begins. */
static inline __attribute__((always_inline)) __u64 cs_hist_slot_low(__u32 slot)
{
	__u32 octave = slot / CS_HIST_SUB_SLOTS;
	__u64 sub = slot % CS_HIST_SUB_SLOTS;

	if (octave == 0)
		return sub;
	return (CS_HIST_SUB_SLOTS + sub) << (octave - 1);
}

#endif
