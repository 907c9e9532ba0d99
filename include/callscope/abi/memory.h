/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What bpf/memory.bpf.c and userspace/bpf share: page faults by the stack that touched the memory.
 * The stacks themselves come through the ring buffer of the cpu object (abi/cpu.h). */
#ifndef CALLSCOPE_ABI_MEMORY_H
#define CALLSCOPE_ABI_MEMORY_H

#include "callscope/abi/cpu.h"

/* rodata of the memory object, set between open and load. */
struct cs_memory_config {
	__u32 python; /* as in cs_cpu_config */
};

/* Its map cs_fault_counts has keys and values as cs_stack_counts of the cpu object. */

#ifndef __bpf__
static_assert(sizeof(struct cs_memory_config) == 4, "abi");
#endif

#endif
