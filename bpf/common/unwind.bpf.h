/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Walks the user stack of the current thread by unwind tables, without frame pointers: the one
 * place that knows how. Its parts are in unwind/; user space feeds it (userspace/bpf/unwind_maps).
 *
 * The state of a walk is the caller's, one for each place that no other walk can interrupt. */
#ifndef CALLSCOPE_BPF_UNWIND_BPF_H
#define CALLSCOPE_BPF_UNWIND_BPF_H

#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>

#include "common/unwind/maps.bpf.h"
#include "common/unwind/registers.bpf.h"
#include "common/unwind/state.bpf.h"
#include "common/unwind/trampoline.bpf.h"

static __always_inline long cs_read_user(void *to, __u32 size, __u64 from)
{
	return bpf_probe_read_user(to, size, (void *)from);
}

#include "common/unwind/leaf.bpf.h"
#include "common/unwind/step.bpf.h"
#include "common/unwind/walk.bpf.h"

/* Its generation. The element may be recycled for another process meanwhile: what is read before
 * its tgid is ours. */
static __always_inline __u32 cs_take_code(struct cs_unwind *walk, struct cs_process_code *code,
					  __u32 tgid)
{
	__u32 generation = code->generation;

	walk->first_range = code->first;
	walk->n_ranges = code->count;
	barrier();
	if (code->tgid == tgid)
		return generation;
	walk->n_ranges = 0;
	return 0;
}

/* The registers are set; the rest follows from the current task. Not 0: why there is no walk, enum
 * cs_stack_end. */
static __always_inline int cs_begin_walk(struct task_struct *task, struct cs_unwind *walk)
{
	struct xol_area *area = task->mm->uprobes_state.xol_area;
	__u32 tgid = task->tgid, generation;
	struct cs_process_code *code = bpf_map_lookup_elem(&cs_code, &tgid);

	for (int i = 0; i < CS_REG_COUNT; i++)
		walk->at[i] = 0;
	walk->limit = CS_WALK_FRAMES;
	walk->window_bytes = 0;
	walk->known = CS_REG_ALL;
	walk->exact = 1;
	walk->by_frame_pointer = 0;
	walk->n_ranges = 0;
	walk->trampoline = area ? area->vaddr : 0;
	generation = code ? cs_take_code(walk, code, tgid) : 0;
	if (walk->generation != generation) {
		walk->generation = generation;
		walk->range.n_pages = 0; /* it was found in other code */
	}
	return cs_leave_uprobes_page(task, walk);
}

/* Walks that a budget allows for: a part of each CPU, and a burst. */
static __always_inline bool cs_may_walk(struct cs_unwind *walk, __u64 now_ns, __u32 part,
					__u64 burst_ns)
{
	__u64 paid = (now_ns - walk->begin_ns) / part;

	walk->begin_ns = now_ns;
	walk->unpaid_ns = paid < walk->unpaid_ns ? walk->unpaid_ns - paid : 0;
	return walk->unpaid_ns <= burst_ns;
}

static __always_inline void cs_charge_walk(struct cs_unwind *walk, __u64 now_ns)
{
	walk->unpaid_ns += now_ns - walk->begin_ns;
}

/* What a walk leaves behind that finds nothing. */
static __always_inline void cs_begin_no_walk(struct cs_unwind *walk)
{
	walk->missed = 0;
	walk->left_out = 0;
	walk->depth = 0;
}

/* The user stack of the current thread up to limit frames, from where it was interrupted or entered
 * the kernel. interrupted: context of a sampling event, or NULL elsewhere. The number of frames <<
 * 8 | enum cs_stack_end; walk->missed is an address that user space should hear of, or 0. */
static __always_inline int cs_walk_current(void *interrupted, struct cs_unwind *walk,
					   struct cs_user_frames *frames, __u32 limit)
{
	struct task_struct *task = bpf_get_current_task_btf();
	int end;

	cs_begin_no_walk(walk);
	if (!cs_get_interrupted(interrupted, task, walk))
		return CS_STACK_NO_USER;
	end = cs_begin_walk(task, walk);
	if (end)
		return end;
	if (!cs_interrupted_user(interrupted))
		cs_leave_breakpoint(walk);
	walk->limit = limit;
	return cs_unwind_frames(walk, frames);
}

/* Walks of deep stacks take this part of each CPU: when there are too many, some go to their end
 * and the others are cut. */
#define CS_DEEP_PART	 20
#define CS_DEEP_BURST_NS 100000000

/* The same in a sampling event. */
static __always_inline int cs_walk_interrupted(void *ctx, struct cs_unwind *walk,
					       struct cs_user_frames *frames)
{
	__u32 limit = CS_USER_FRAMES;
	int end;

	if (cs_may_walk(walk, bpf_ktime_get_ns(), CS_DEEP_PART, CS_DEEP_BURST_NS))
		limit = CS_WALK_FRAMES;
	end = cs_walk_current(ctx, walk, frames, limit);
	if (walk->depth > CS_USER_FRAMES)
		cs_charge_walk(walk, bpf_ktime_get_ns());
	return end;
}

/* Whether user space should be told of code that it does not know: rarely for one process. */
static __always_inline bool cs_report_missed(__u32 tgid, __u64 now_ns)
{
	struct cs_process_code *code = bpf_map_lookup_elem(&cs_code, &tgid);

	if (code && now_ns - code->missed_ns < CS_MISSED_EVERY_NS)
		return false;
	if (code)
		code->missed_ns = now_ns;
	return true;
}

/* A forked child has its parent's code, a process that executes has none that is known. */
static __always_inline void cs_code_forked(__u32 parent_tgid, __u32 tgid)
{
	struct cs_process_code *parent = bpf_map_lookup_elem(&cs_code, &parent_tgid);
	struct cs_process_code child = {.tgid = tgid};

	if (parent) {
		child.first = parent->first;
		child.generation = parent->generation;
		child.count = parent->tgid == parent_tgid ? parent->count : 0;
	}
	bpf_map_update_elem(&cs_code, &tgid, &child, BPF_ANY);
}

static __always_inline void cs_code_executed(__u32 tgid)
{
	struct cs_process_code none = {.tgid = tgid};

	bpf_map_update_elem(&cs_code, &tgid, &none, BPF_ANY);
}

#endif
