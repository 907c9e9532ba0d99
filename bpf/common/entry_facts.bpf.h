/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What call_tracker.bpf.h must know of a thread when an entry finds open frames at or below its own
 * slot: rare, so it is read only then. Failures are counted in the caller's cs_stats map. */
#ifndef CALLSCOPE_BPF_ENTRY_FACTS_BPF_H
#define CALLSCOPE_BPF_ENTRY_FACTS_BPF_H

#include "common/kernel_types.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "callscope/abi/stats.h"
#include "common/call_tracker.bpf.h"
#include "common/stats.bpf.h"

/* 1: the word at the return slot is the return-probe trampoline, so the slot was handed on. */
static __always_inline __u32 cs_slot_hijacked(struct task_struct *task, __u64 slot, void *stats_map)
{
	struct xol_area *area = BPF_CORE_READ(task, mm, uprobes_state.xol_area);
	__u64 trampoline = 0, word = 0;

	if (!area || bpf_core_read(&trampoline, sizeof(trampoline), &area->vaddr) ||
	    bpf_probe_read_user(&word, sizeof(word), (void *)slot)) {
		cs_count(stats_map, CS_STAT_SLOT_UNREADABLE);
		return 0;
	}
	return word == trampoline;
}

/* The kernel takes pending return probes for dead when a new one comes from a higher address: right
 * on one stack, fatal when a thread changes stacks (signal handlers on an alternate one, fibers).
 * So a return probe is for the stack that the thread was born with: the first thread's below
 * start_stack, that of others below their control block. Farther away than this, it is another. */
#define CS_FIRST_STACK_MAX (64ull << 20)
#define CS_STACK_MAX_BYTES ((8ull << 20) + (64ull << 10)) /* glibc's default and its guard */

static __always_inline bool cs_on_own_stack(struct task_struct *task, __u64 sp)
{
	__u64 top;

	if (task->sas_ss_size && sp - task->sas_ss_sp < task->sas_ss_size)
		return false;
	if (task->pid != task->tgid)
		return task->thread.fsbase - sp < CS_STACK_MAX_BYTES;
	top = BPF_CORE_READ(task, mm, start_stack);
	return top - sp < CS_FIRST_STACK_MAX;
}

static __always_inline void cs_load_facts(struct task_struct *task, __u64 slot,
					  struct cs_entry_facts *facts, void *stats_map)
{
	facts->alt_stack = task->sas_ss_sp;
	facts->alt_stack_size = task->sas_ss_size;
	facts->slot_handed_on = cs_slot_hijacked(task, slot, stats_map);
}

#endif
