/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Counts events by stack, for objects that want no more of them. */
#ifndef CALLSCOPE_BPF_STACKS_COUNT_BPF_H
#define CALLSCOPE_BPF_STACKS_COUNT_BPF_H

#include "stacks/take.bpf.h"

static __always_inline struct cs_stack_count *cs_count_of(void *counts,
							  const struct cs_stack_key *key)
{
	struct cs_stack_count first = {.count = 0};
	struct cs_stack_count *counted = bpf_map_lookup_elem(counts, key);

	if (counted)
		return counted;
	bpf_map_update_elem(counts, key, &first, BPF_NOEXIST);
	return bpf_map_lookup_elem(counts, key);
}

/* counts: a map of struct cs_stack_count by struct cs_stack_key. False: it has no room. */
static __always_inline bool cs_count_stack(void *counts, struct cs_stack_record *record,
					   const struct cs_python_half *python)
{
	struct cs_stack_count *counted = cs_count_of(counts, &record->key);

	if (!counted)
		return false;
	__sync_fetch_and_add(&counted->count, 1);
	if (!counted->sent && cs_send_taken(record, python))
		counted->sent = 1;
	return true;
}

#endif
