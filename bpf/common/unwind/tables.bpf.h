/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Finds the mapping that holds an address and the unwind rule in force there. Pure logic, also
 * compiled in user space by tests/unit/unwind. The includer defines before, each NULL when there is
 * no such element:
 *   cs_code_range_at(index), cs_unwind_page_at(index), cs_unwind_row_at(index),
 * cs_unwind_rule_at(index)
 *
 * The searches halve their interval without a branch on what they find: the verifier follows one
 * path instead of 2^16. */
#ifndef CALLSCOPE_BPF_UNWIND_TABLES_BPF_H
#define CALLSCOPE_BPF_UNWIND_TABLES_BPF_H

#include "common/unwind/state.bpf.h"

#define CS_SEARCH_STEPS 17 /* intervals of up to 65536 elements */

/* All ones if a <= b, else 0; both below 2^63. Opaque, or the compiler makes a branch of it. */
CS_INLINE __u64 cs_mask_not_above(__u64 a, __u64 b)
{
	__u64 mask = (__u64)((__s64)(a - b - 1) >> 63);

	CS_OPAQUE(mask);
	return mask;
}

CS_INLINE int cs_in_range(const struct cs_code_range *range, __u64 addr)
{
	return addr - range->start < (__u64)range->n_pages << 12;
}

/* Sets walk->range to the one that holds addr. 0: there is none. */
CS_INLINE int cs_find_range(struct cs_unwind *walk, __u64 addr)
{
	__u32 base = walk->first_range, n = walk->n_ranges;
	const struct cs_code_range *range;

	if (cs_in_range(&walk->range, addr))
		return 1;
	if (addr >> 63 || n == 0)
		return 0;
	for (int i = 0; i < CS_SEARCH_STEPS && n > 1; i++) {
		__u32 half = n / 2;

		range = cs_code_range_at(base + half);
		if (!range)
			return 0;
		base += half & (__u32)cs_mask_not_above(range->start, addr);
		n -= half;
	}
	range = cs_code_range_at(base);
	if (!range || !cs_in_range(range, addr))
		return 0;
	walk->range = *range;
	return 1;
}

/* CS_NO_RULE: the tables are damaged. */
#define CS_NO_RULE 0xffffffffu
CS_INLINE __u32 cs_search_rule(const struct cs_unwind *walk, __u64 addr)
{
	__u64 vaddr = addr - walk->range.bias;
	__u32 low = vaddr & (CS_UNWIND_PAGE_SIZE - 1);
	const struct cs_unwind_page *page;
	const struct cs_unwind_row *row;
	__u32 base, n;

	page = cs_unwind_page_at(walk->range.pages + (__u32)(vaddr >> CS_UNWIND_PAGE_BITS));
	if (!page)
		return CS_NO_RULE;
	base = page->first;
	n = page->count;
	if (n == 0)
		return CS_UNWIND_RULE_NO_TABLE;
	for (int i = 0; i < CS_SEARCH_STEPS && n > 1; i++) {
		__u32 half = n / 2;

		row = cs_unwind_row_at(base + half);
		if (!row)
			return CS_NO_RULE;
		base += half & (__u32)cs_mask_not_above(row->pc_low, low);
		n -= half;
	}
	row = cs_unwind_row_at(base);
	return row ? row->rule : CS_NO_RULE;
}

CS_INLINE struct cs_recent_rule *cs_recent_at(struct cs_unwind *walk, __u64 addr)
{
	return &walk->recent[addr * 0x9e3779b97f4a7c15ull >> (64 - CS_RECENT_BITS)];
}

/* As cs_find_code, of what is not remembered. A function of its own, so that the verifier follows
 * its searches only once. */
CS_SUBPROGRAM int cs_search_code(struct cs_unwind *walk, __u64 addr)
{
	struct cs_recent_rule *recent;

	if (!walk || !cs_find_range(walk, addr))
		return 0;
	walk->kind = walk->range.kind;
	if (walk->kind != CS_CODE_TABLE)
		return 1;
	walk->rule = cs_search_rule(walk, addr);
	recent = cs_recent_at(walk, addr);
	recent->addr = addr;
	recent->rule = walk->rule;
	recent->generation = walk->generation;
	return 1;
}

/* Sets walk->kind and, if there is a table, walk->rule to what is in force at addr. 0: it lies in
 * no code. */
CS_INLINE int cs_find_code(struct cs_unwind *walk, __u64 addr)
{
	const struct cs_recent_rule *recent = cs_recent_at(walk, addr);

	if (walk->n_ranges == 0)
		return 0;
	if (recent->addr != addr || recent->generation != walk->generation)
		return cs_search_code(walk, addr);
	walk->kind = CS_CODE_TABLE;
	walk->rule = recent->rule;
	return 1;
}

#endif
