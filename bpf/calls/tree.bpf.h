/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A part of calls.bpf.c, which defines the maps: the place of a call in the tree of probed calls.
 */
#ifndef CALLSCOPE_BPF_CALLS_TREE_BPF_H
#define CALLSCOPE_BPF_CALLS_TREE_BPF_H

#include "common/call_types.bpf.h"

/* The node of this edge, made if it is new; the root of the function if there is no room. */
__attribute__((noinline)) int cs_find_node(struct cs_call_edge *edge, __u32 recursive)
{
	struct cs_call_node_info *info;
	struct cs_call_edge key;
	__u32 node, *known;

	if (!edge)
		return 0;
	key = *edge; /* Linux 6.1 takes no key from the memory of a caller. */
	known = bpf_map_lookup_elem(&cs_call_edges, &key);
	if (known)
		return *known;
	if (cs_config.max_functions + cs_nodes_used >= cs_config.max_nodes) {
		cs_count(&cs_stats, CS_STAT_TREE_FULL);
		return edge->func;
	}
	node = cs_config.max_functions + __sync_fetch_and_add(&cs_nodes_used, 1);
	info = bpf_map_lookup_elem(&cs_call_nodes_info, &node);
	if (!info || bpf_map_update_elem(&cs_call_edges, &key, &node, BPF_NOEXIST)) {
		/* Another CPU made it meanwhile, or there is no room after all. */
		known = bpf_map_lookup_elem(&cs_call_edges, &key);
		return known ? *known : edge->func;
	}
	info->parent = edge->parent;
	info->func = edge->func;
	info->recursive = recursive;
	info->used = 1;
	return node;
}

static __always_inline void cs_call_opened(struct cs_call_thread *thread,
					   struct cs_call_frame *frame,
					   struct cs_call_frame *parent, __u32 activation)
{
	struct cs_call_edge edge = {.func = frame->func};

	frame->node = frame->context = frame->func;
	if (!parent && !cs_config.by_thread)
		return;
	if (parent && parent->last_func == frame->func) {
		frame->node = parent->last_node;
		frame->context = parent->last_context;
		return;
	}
	edge.parent = parent ? parent->context : CS_ROOT_THREAD | (__u32)bpf_get_current_pid_tgid();
	frame->node = cs_find_node(&edge, activation != 0);
	frame->context = frame->node;
	if (activation)
		frame->context = thread->frames[(activation - 1) & (CS_CALL_DEPTH - 1)].context;
	if (parent) {
		parent->last_func = frame->func;
		parent->last_node = frame->node;
		parent->last_context = frame->context;
	}
}

#endif
