/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The maps that the walker reads. The exception to "a header defines no map": every object must
 * define them alike, since userspace/bpf/unwind_maps makes them once, with their sizes, and gives
 * them to each object before it is loaded. */
#ifndef CALLSCOPE_BPF_UNWIND_MAPS_BPF_H
#define CALLSCOPE_BPF_UNWIND_MAPS_BPF_H

#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>

#include "callscope/abi/code.h"
#include "callscope/abi/unwind.h"

struct cs_unwind_row_pair {
	struct cs_unwind_row row[CS_UNWIND_ROW_PAIR];
};

/* Code of the targets by tgid. Written by user space; forks copy their parent's here. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_process_code);
} cs_code SEC(".maps");

/* Written by user space, as are the next three. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_code_range);
} cs_code_ranges SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_unwind_page);
} cs_unwind_pages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_unwind_row_pair);
} cs_unwind_rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_unwind_rule);
} cs_unwind_rules SEC(".maps");

static __always_inline const struct cs_code_range *cs_code_range_at(__u32 index)
{
	return bpf_map_lookup_elem(&cs_code_ranges, &index);
}

static __always_inline const struct cs_unwind_page *cs_unwind_page_at(__u32 index)
{
	return bpf_map_lookup_elem(&cs_unwind_pages, &index);
}

static __always_inline const struct cs_unwind_row *cs_unwind_row_at(__u32 index)
{
	__u32 element = index / CS_UNWIND_ROW_PAIR;
	struct cs_unwind_row_pair *pair = bpf_map_lookup_elem(&cs_unwind_rows, &element);

	return pair ? &pair->row[index % CS_UNWIND_ROW_PAIR] : NULL;
}

static __always_inline const struct cs_unwind_rule *cs_unwind_rule_at(__u32 index)
{
	return bpf_map_lookup_elem(&cs_unwind_rules, &index);
}

#endif
