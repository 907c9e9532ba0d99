/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Exact function latency: entry and exit probes, a shadow stack per thread, a tree of calls with
 * statistics and a histogram per function. */
#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "callscope/abi/call_records.h"
#include "callscope/abi/calls.h"
#include "callscope/abi/histogram.h"
#include "common/call_types.bpf.h"
#include "common/maps.bpf.h"
#include "common/process_events.bpf.h"
#include "common/stats.bpf.h"
#include "common/unwind.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct cs_call_config cs_config;

/* User space sets it after all probes are attached and clears it before they go. */
volatile __u32 cs_enabled;

/* The first target, as the initial PID namespace counts; while user space measures what probes
 * cost, the process that it measures. */
volatile __u32 cs_first_target;

/* User space sets it when it counts the calls that are open: those of a thread that ends later are
 * among them. Until then also a thread that ends after cs_enabled was cleared closes its own. */
volatile __u32 cs_counting_open;

/* Changes of the targets' code (mapped by the loader, executed), counted here before that code
 * runs, and up to which of them user space has judged them. While they differ, processes in cs_held
 * get no return probe. */
volatile __u32 cs_code_changes;
volatile __u32 cs_code_judged;

/* User space sets it ahead as long as it lives. When it was killed no return probe is armed any
 * more: the kernel could not close our links while there are new ones. */
volatile __u64 cs_alive_until_ns;

/* Written here: nodes made so far beyond the roots; may exceed the room for them. */
volatile __u32 cs_nodes_used;

/* Processes whose code has changed and was not judged yet, by tgid: the number of the change.
 * Written here, deleted by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u32);
} cs_held SEC(".maps");

/* max_functions elements, set before load. Written by user space, see struct cs_func_ctl. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_func_ctl);
} cs_func_ctls SEC(".maps");

/* max_functions * n_shards elements, set before load. Written and read here only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_func_load);
} cs_func_loads SEC(".maps");

/* max_nodes elements, set before load: written here, read by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_call_node_info);
} cs_call_nodes_info SEC(".maps");

/* Nodes by how they are reached; max_nodes elements, set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct cs_call_edge);
	__type(value, __u32);
} cs_call_edges SEC(".maps");

/* max_nodes * n_shards elements, set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_call_stats);
} cs_call_stats SEC(".maps");

/* max_functions * n_shards elements, set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_call_hist);
} cs_call_hist SEC(".maps");

/* One shadow stack a thread, freed by the kernel with the thread. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct cs_call_thread);
} cs_call_threads SEC(".maps");

/* Arguments of the open calls of such a thread; only where slow calls are logged. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct cs_call_args[CS_CALL_DEPTH]);
} cs_call_arguments SEC(".maps");

/* Records of abi/call_records.h. The size is set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} cs_call_ring SEC(".maps");

struct cs_slow_scratch {
	__u64 taken;
	struct cs_unwind walk;
	struct cs_slow_record record;
};

/* The slow record under construction. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cs_slow_scratch);
} cs_slow_scratches SEC(".maps");

/* Kernel 6.13+; user space leaves the session program out elsewhere. */
extern bool bpf_session_is_return(void) __ksym __weak;

static __always_inline __u32 cs_shard(void)
{
	return bpf_get_smp_processor_id() & (cs_config.n_shards - 1);
}

static __always_inline struct cs_call_stats *cs_node_stats(__u32 node)
{
	__u32 index = node + cs_shard() * cs_config.max_nodes;

	return bpf_map_lookup_elem(&cs_call_stats, &index);
}

static __always_inline bool cs_is_target(__u32 tgid)
{
	return tgid == cs_first_target || cs_in_targets(tgid);
}

/* Address of the return address. Both registers are read first: the compiler would choose between
 * their places in ctx, and the verifier takes no pointer into ctx that was computed. */
static __always_inline __u64 cs_slot_at(const struct pt_regs *ctx, __u64 cookie)
{
	__u64 sp = ctx->sp, bp = ctx->bp;

	barrier_var(sp);
	barrier_var(bp);
	return cs_cookie_slot(cookie, sp, bp);
}

#include "calls/tree.bpf.h"
#include "calls/closed.bpf.h"
#include "common/call_tracker.bpf.h"
#include "common/off_cpu.bpf.h"
#include "calls/enter.bpf.h"
#include "calls/leave.bpf.h"

/* ---- programs */

static __always_inline bool cs_is_mine(void)
{
	return cs_enabled && cs_is_target(bpf_get_current_pid_tgid() >> 32);
}

/* The code of this process has changed: what it maps may not bear return probes. */
static __always_inline void cs_hold(__u32 tgid)
{
	__u32 change = __sync_fetch_and_add(&cs_code_changes, 1) + 1;

	if (bpf_map_update_elem(&cs_held, &tgid, &change, BPF_ANY))
		cs_count(&cs_stats, CS_STAT_TARGETS_FULL);
}

static __always_inline bool cs_is_held(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	return cs_code_changes != cs_code_judged && bpf_map_lookup_elem(&cs_held, &tgid);
}

/* A return probe that is armed now is safe, and will go when we do. */
static __always_inline bool cs_may_be_return_probed(__u64 sp)
{
	return !cs_is_held() && bpf_ktime_get_ns() < cs_alive_until_ns &&
	       cs_on_own_stack(bpf_get_current_task_btf(), sp);
}

SEC("?kprobe")
int cs_call_session(struct pt_regs *ctx)
{
	if (!cs_is_mine())
		return 1;
	if (!bpf_session_is_return())
		return cs_enter(ctx, bpf_get_attach_cookie(ctx), cs_may_be_return_probed(ctx->sp));
	cs_leave_by_return_probe(ctx);
	return 0;
}

/* With cs_call_return: kernels without sessions. */
SEC("?kprobe")
int cs_call_entry(struct pt_regs *ctx)
{
	if (cs_is_mine())
		cs_enter(ctx, bpf_get_attach_cookie(ctx), true);
	return 0;
}

SEC("?kprobe")
int cs_call_return(struct pt_regs *ctx)
{
	if (cs_is_mine())
		cs_leave_by_return_probe(ctx);
	return 0;
}

/* Every probe that touches no stack; the cookie says what it stands on. */
SEC("?kprobe")
int cs_call_site(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	if (!cs_is_mine())
		return 0;
	switch (cs_cookie_kind(cookie)) {
	case CS_PROBE_ENTRY:
	case CS_PROBE_COUNT:
		cs_enter(ctx, cookie, cs_cookie_kind(cookie) == CS_PROBE_ENTRY);
		break;
	case CS_PROBE_RET:
	case CS_PROBE_TAIL:
		cs_leave_by_site(ctx, cookie, cs_cookie_kind(cookie) == CS_PROBE_TAIL);
		break;
	case CS_PROBE_THROW:
		cs_throw();
		break;
	case CS_PROBE_CATCH:
		cs_catch(ctx);
		break;
	case CS_PROBE_LOADER:
		cs_hold(bpf_get_current_pid_tgid() >> 32);
		cs_send_event(CS_CALL_RECORD_LOADER, 0);
		break;
	}
	return 0;
}

#include "calls/threads.bpf.h"
