/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The maps that every object has, each its own: whom it watches and what it counts. */
#ifndef CALLSCOPE_BPF_COMMON_MAPS_BPF_H
#define CALLSCOPE_BPF_COMMON_MAPS_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>

#include "callscope/abi/stats.h"
#include "common/stats.bpf.h"

/* Written here, read by user space. One element a reason, enum cs_stat. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CS_STAT_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} cs_stats SEC(".maps");

/* Processes that are watched, by tgid; but for the first one where the configuration names it.
 * Written by user space, and here where children are followed, before they run. Far above the
 * children that a profiled process has at one time. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u8);
} cs_targets SEC(".maps");

static __always_inline bool cs_in_targets(__u32 tgid)
{
	return bpf_map_lookup_elem(&cs_targets, &tgid) != NULL;
}

static __always_inline void cs_follow(__u32 tgid)
{
	__u8 present = 1;

	if (bpf_map_update_elem(&cs_targets, &tgid, &present, BPF_ANY))
		cs_count(&cs_stats, CS_STAT_TARGETS_FULL);
}

#endif
