/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Begin and end of a span, by its key, and what is counted of it. The includer defines before: the
 * maps cs_stats, cs_span_stats, cs_span_hist and cs_span_open. Several CPUs may run this for one
 * row, and even for one key, at the same time: counters are atomic, of two ends one wins. */
#ifndef CALLSCOPE_BPF_SPAN_TRACKER_BPF_H
#define CALLSCOPE_BPF_SPAN_TRACKER_BPF_H

#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>

#include "callscope/abi/histogram.h"
#include "callscope/abi/spans.h"
#include "callscope/abi/stats.h"
#include "common/stats.bpf.h"

static __always_inline struct cs_span_stats *cs_stats_of(__u32 row)
{
	struct cs_span_stats *stats = bpf_map_lookup_elem(&cs_span_stats, &row);

	if (!stats)
		cs_count(&cs_stats, CS_STAT_SPAN_BAD_SITE);
	return stats;
}

static __always_inline struct cs_span_key cs_key_of(struct task_struct *task, __u32 span, __u64 key)
{
	return (struct cs_span_key){
	    .key = key, .span = span, .tgid = task->tgid, .exec_id = task->self_exec_id};
}

/* The clock is read here, so that what the probe did before is not in the span. */
static __always_inline void cs_begin(const struct cs_span_key *key, __u32 row)
{
	struct cs_span_stats *stats = cs_stats_of(row);
	struct cs_span_start start = {.row = row};
	struct cs_span_start *before;

	if (!stats)
		return;
	__sync_fetch_and_add(&stats->begun, 1);
	start.begin_ns = bpf_ktime_get_ns();
	if (!bpf_map_update_elem(&cs_span_open, key, &start, BPF_NOEXIST))
		return;
	before = bpf_map_lookup_elem(&cs_span_open, key);
	if (!before) {
		__sync_fetch_and_add(&stats->lost, 1);
		return;
	}
	if (before->row != row)
		stats = cs_stats_of(before->row);
	if (stats)
		__sync_fetch_and_add(&stats->restarted, 1);
	before->begin_ns = start.begin_ns;
	before->row = row;
}

static __always_inline void cs_record_duration(struct cs_span_stats *stats, __u32 row, __u64 ns)
{
	struct cs_call_hist *hist = bpf_map_lookup_elem(&cs_span_hist, &row);
	__u32 slot = cs_hist_slot(ns);

	__sync_fetch_and_add(&stats->sum_ns, ns);
	if ((stats->max_ns < ns && !cs_atomic_max(&stats->max_ns, ns)) ||
	    (stats->min_inv < ~ns && !cs_atomic_max(&stats->min_inv, ~ns)))
		cs_count(&cs_stats, CS_STAT_MINMAX_CONTENDED);
	if (hist && slot < CS_HIST_SLOTS)
		__sync_fetch_and_add(&hist->slots[slot], 1);
}

/* row: where an end without a beginning is counted, if not CS_SPAN_BY_NAME. */
static __always_inline void cs_end(const struct cs_span_key *key, __u32 row, __u64 now_ns)
{
	struct cs_span_start *open = bpf_map_lookup_elem(&cs_span_open, key);
	struct cs_span_start start = {};
	struct cs_span_stats *stats;

	if (open) {
		start = *open;
		row = start.row;
	} else if (row == CS_SPAN_BY_NAME) {
		cs_count(&cs_stats, CS_STAT_SPAN_NAMED_UNMATCHED);
		return;
	}
	stats = cs_stats_of(row);
	if (!stats)
		return;
	/* Of two ends at once the one that takes it out is the end. */
	if (!open || bpf_map_delete_elem(&cs_span_open, key)) {
		__sync_fetch_and_add(&stats->unmatched, 1);
		return;
	}
	cs_record_duration(stats, row, now_ns > start.begin_ns ? now_ns - start.begin_ns : 0);
}

static __always_inline void cs_abandon(struct task_struct *task, __u32 span)
{
	struct cs_span_key key = cs_key_of(task, span, task->pid);
	struct cs_span_stats *stats;

	if (bpf_map_delete_elem(&cs_span_open, &key))
		return; /* not open: the usual case */
	stats = cs_stats_of(span);
	if (stats)
		__sync_fetch_and_add(&stats->abandoned, 1);
}

#endif
