/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Atomic updates of counters in map values. */
#ifndef CALLSCOPE_BPF_STATS_BPF_H
#define CALLSCOPE_BPF_STATS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Adds one to element `stat` of a cs_stats map. */
static __always_inline void cs_count(void *stats_map, __u32 stat)
{
	__u64 *counter = bpf_map_lookup_elem(stats_map, &stat);

	if (counter)
		__sync_fetch_and_add(counter, 1);
}

/* *cell = max(*cell, value). 0 when other CPUs won four times in a row. A subprogram of its own, so
 * that its turns multiply nobody else's states in the verifier. */
__attribute__((noinline)) int cs_atomic_max(__u64 *cell, __u64 value)
{
	for (int i = 0; cell && i < 4; i++) {
		__u64 seen = *(volatile __u64 *)cell;

		if (seen >= value)
			return 1;
		if (__sync_val_compare_and_swap(cell, seen, value) == seen)
			return 1;
	}
	return 0;
}

#endif
