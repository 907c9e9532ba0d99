/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The return addresses that uprobes hide from a walk: a pending return probe has replaced one by
 * that of the kernel's trampoline. The originals are in the thread's uprobe_task, but for the
 * moments when a return probe is being armed. */
#ifndef CALLSCOPE_BPF_UNWIND_TRAMPOLINE_BPF_H
#define CALLSCOPE_BPF_UNWIND_TRAMPOLINE_BPF_H

#include "common/kernel_types.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "common/unwind/state.bpf.h"

#define CS_RETURN_PROBES_MAX 64 /* MAX_URETPROBE_DEPTH of the kernel */

/* Sets walk->original to what the return probe at walk->slot replaced; 0: there is none. */
CS_SUBPROGRAM int cs_find_return_instance(struct cs_unwind *walk)
{
	struct uprobe_task *utask = bpf_get_current_task_btf()->utask;
	struct return_instance *instance;

	if (!walk)
		return 0;
	walk->original = 0;
	if (!utask)
		return 0;
	instance = BPF_CORE_READ(utask, return_instances);
	for (int i = 0; i < CS_RETURN_PROBES_MAX && instance; i++) {
		if (BPF_CORE_READ(instance, stack) == walk->slot) {
			/* of chained ones too: the kernel copies it along */
			walk->original = BPF_CORE_READ(instance, orig_ret_vaddr);
			break;
		}
		instance = BPF_CORE_READ(instance, next);
	}
	return 0;
}

static __always_inline __u64 cs_original_return(struct cs_unwind *walk)
{
	cs_find_return_instance(walk);
	return walk->original;
}

#endif
