/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What uprobes hide from a walk. A pending return probe has replaced a return address by that of
 * the kernel's trampoline; probed instructions run in a slot of the same page. The originals are in
 * the thread's uprobe_task, so no frame of that page is ever shown. */
#ifndef CALLSCOPE_BPF_UNWIND_TRAMPOLINE_BPF_H
#define CALLSCOPE_BPF_UNWIND_TRAMPOLINE_BPF_H

#include "common/kernel_types.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "common/unwind/state.bpf.h"

#define CS_RETURN_PROBES_MAX 64	 /* MAX_URETPROBE_DEPTH of the kernel */
#define CS_XOL_SLOT_BYTES    128 /* UPROBE_XOL_SLOT_BYTES; the first slot holds the trampoline */

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

/* Bytes from rsp to where the return address was, at an offset in the kernel's trampoline (6.11 and
 * later: push rax, rcx, r11; mov; syscall; pop r11, rcx; ret). Behind the system call the original
 * lies there. Older kernels have one int3 instead: offset 0. */
#define CS_TRAMPOLINE_SYSCALLED 13
static __always_inline __s64 cs_trampoline_slot(__u64 pc_off)
{
	switch (pc_off) {
	case 0:
		return -8;
	case 1:
	case CS_TRAMPOLINE_SYSCALLED + 3:
		return 0;
	case 2:
	case CS_TRAMPOLINE_SYSCALLED + 2:
		return 8;
	}
	return 16;
}

/* A function has just returned to the trampoline: goes on in its caller. */
static __always_inline void cs_leave_trampoline(struct cs_unwind *walk)
{
	__u64 sp = walk->regs[CS_REG_RSP], addr;

	walk->slot = sp + cs_trampoline_slot(walk->pc - walk->trampoline);
	addr = cs_original_return(walk);
	if (!addr && bpf_probe_read_user(&addr, sizeof(addr), (void *)walk->slot))
		return;
	if (addr == walk->trampoline)
		return;
	walk->pc = addr;
	walk->regs[CS_REG_RSP] = walk->slot + 8;
	walk->exact = 0;
}

/* The leaf was interrupted in the uprobes page: goes to where it is as the program sees it. */
static __always_inline void cs_leave_uprobes_page(struct task_struct *task, struct cs_unwind *walk)
{
	struct uprobe_task *utask = task->utask;
	__u64 copy;

	if (!utask || walk->trampoline == 0 || walk->pc - walk->trampoline >= 4096)
		return;
	if (walk->pc - walk->trampoline < CS_XOL_SLOT_BYTES) {
		cs_leave_trampoline(walk);
		return;
	}
	copy = BPF_CORE_READ(utask, xol_vaddr);
	if (walk->pc - copy < CS_XOL_SLOT_BYTES)
		walk->pc = BPF_CORE_READ(utask, vaddr) + (walk->pc - copy);
}

#endif
