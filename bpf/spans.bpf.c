/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Spans: the time from one point of a program to another, paired by thread, by an argument, or by
 * the address of a callscope::Span. All sites are plain uprobes of one program; what a site means
 * stands in cs_span_sites. */
#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "callscope/abi/histogram.h"
#include "callscope/abi/spans.h"
#include "common/maps.bpf.h"
#include "common/span_value.bpf.h"
#include "common/stats.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct cs_span_config cs_config;

/* User space sets it after all probes are attached and clears it before they go. */
volatile __u32 cs_enabled;

/* The next name gets this row; only grows. Read by nobody else. */
__u32 cs_next_name;

/* n_sites elements, written by user space before the probes are attached. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_span_site);
} cs_span_sites SEC(".maps");

/* n_rows elements. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_span_stats);
} cs_span_stats SEC(".maps");

/* As cs_span_stats; apart from it because it is large and most rows stay empty. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_call_hist);
} cs_span_hist SEC(".maps");

/* Spans that have begun. Its size is what user space sets as the most that may be open at a time;
 * beyond it beginnings are counted as lost. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct cs_span_key);
	__type(value, struct cs_span_start);
} cs_span_open SEC(".maps");

/* Arguments of functions that are open and whose exit is a site. LRU, because a throw or a longjmp
 * leaves entries behind that nobody takes out; one that is pushed out while in use shows as an
 * unmatched end. The size is far above the frames of these few functions open at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct cs_span_frame);
	__type(value, __u64);
} cs_span_kept SEC(".maps");

/* Rows of the names that were seen; read by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CS_SPAN_NAMES_MAX);
	__type(key, struct cs_span_name);
	__type(value, __u32);
} cs_span_names SEC(".maps");

#include "common/span_tracker.bpf.h"

/* The row of the name at this address, a new one if need be; -1 when there is none. */
static __always_inline int cs_row_of_name(__u64 addr)
{
	struct cs_span_name name = {};
	__u32 *known, row;

	if (bpf_probe_read_user_str(name.text, sizeof(name.text), (void *)addr) < 0) {
		cs_count(&cs_stats, CS_STAT_SPAN_NAME_UNREADABLE);
		return -1;
	}
	known = bpf_map_lookup_elem(&cs_span_names, &name);
	if (known)
		return *known;
	if (*(volatile __u32 *)&cs_next_name < cs_config.n_rows - cs_config.first_named) {
		row = cs_config.first_named + __sync_fetch_and_add(&cs_next_name, 1);
		if (row < cs_config.n_rows)
			bpf_map_update_elem(&cs_span_names, &name, &row, BPF_NOEXIST);
		/* Another CPU may have been first: then its row is the one. */
		known = bpf_map_lookup_elem(&cs_span_names, &name);
		if (known)
			return *known;
	}
	cs_count(&cs_stats, CS_STAT_SPAN_NAMES_FULL);
	return -1;
}

/* The key at this site; counts its failure. */
static __always_inline int cs_site_key(struct pt_regs *ctx, struct task_struct *task,
				       const struct cs_span_site *site, __u64 *key)
{
	struct cs_span_frame frame = {.slot = ctx->sp, .span = site->span, .tgid = task->tgid};
	__u64 *kept;

	if (site->key.kind == CS_VALUE_THREAD) {
		*key = task->pid;
		return 0;
	}
	if (site->key.kind != CS_VALUE_KEPT) {
		if (!cs_read_value(ctx, &site->key, key))
			return 0;
		cs_count(&cs_stats, CS_STAT_SPAN_KEY_UNREADABLE);
		return -1;
	}
	kept = bpf_map_lookup_elem(&cs_span_kept, &frame);
	if (!kept) {
		struct cs_span_stats *stats = cs_stats_of(site->span);

		if (stats) /* entered before the recording */
			__sync_fetch_and_add(&stats->unmatched, 1);
		return -1;
	}
	*key = *kept;
	bpf_map_delete_elem(&cs_span_kept, &frame);
	return 0;
}

static __always_inline void cs_keep(struct pt_regs *ctx, struct task_struct *task, __u32 span,
				    __u64 key)
{
	struct cs_span_frame frame = {.slot = ctx->sp, .span = span, .tgid = task->tgid};

	if (bpf_map_update_elem(&cs_span_kept, &frame, &key, BPF_ANY))
		cs_count(&cs_stats, CS_STAT_SPAN_KEY_UNREADABLE);
}

static __always_inline void cs_at_site(struct pt_regs *ctx, struct task_struct *task,
				       const struct cs_span_site *site, __u64 now_ns)
{
	__u32 row = site->span;
	struct cs_span_key open;
	__u64 key = 0, name = 0;
	int named;

	if (site->actions & CS_SPAN_COUNT) {
		struct cs_span_stats *stats = cs_stats_of(row);

		if (stats)
			__sync_fetch_and_add(&stats->begun, 1);
		return;
	}
	if (cs_site_key(ctx, task, site, &key))
		return;
	if (site->actions & CS_SPAN_KEEP)
		cs_keep(ctx, task, site->span, key);
	open = cs_key_of(task, site->span, key);
	if (site->actions & CS_SPAN_END)
		cs_end(&open, row, now_ns);
	if (!(site->actions & CS_SPAN_BEGIN))
		return;
	if (row == CS_SPAN_BY_NAME) {
		if (cs_read_value(ctx, &site->name, &name)) {
			cs_count(&cs_stats, CS_STAT_SPAN_NAME_UNREADABLE);
			return;
		}
		named = cs_row_of_name(name);
		if (named < 0)
			return;
		row = named;
	}
	cs_begin(&open, row);
}

static __always_inline bool cs_is_target(struct task_struct *task)
{
	__u32 tgid = task->tgid;

	return tgid == cs_config.tgid || cs_in_targets(tgid);
}

SEC("?kprobe")
int cs_span_event(struct pt_regs *ctx)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 cookie = bpf_get_attach_cookie(ctx);
	struct cs_span_site *site;

	if (!cs_enabled || !cs_is_target(task))
		return 0;
	site = bpf_map_lookup_elem(&cs_span_sites, &cookie);
	if (site)
		cs_at_site(ctx, task, site, now_ns);
	else
		cs_count(&cs_stats, CS_STAT_SPAN_BAD_SITE);
	return 0;
}

/* A thread that leaves alone abandons its spans; when the process ends, they were open. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(cs_exit_spans, struct task_struct *task)
{
	if (!cs_enabled || !cs_is_target(task) || task->signal->flags & CS_SIGNAL_GROUP_EXIT)
		return 0;
	for (__u32 span = 0; span < CS_SPANS_MAX; span++)
		if (span < cs_config.n_spans && cs_config.thread_keyed >> span & 1)
			cs_abandon(task, span);
	return 0;
}
