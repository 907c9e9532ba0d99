/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Where the program itself stands while the kernel serves a uprobe in its thread. Probed
 * instructions run in a copy, in the page whose first instructions are the trampoline of return
 * probes; others are emulated: meanwhile the registers are neither those before nor those behind.
 * No frame of that page is ever shown. */
#ifndef CALLSCOPE_BPF_UNWIND_LEAF_BPF_H
#define CALLSCOPE_BPF_UNWIND_LEAF_BPF_H

#include "common/kernel_types.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "common/unwind/state.bpf.h"
#include "common/unwind/step.bpf.h"
#include "common/unwind/trampoline.bpf.h"

#define CS_XOL_SLOT_BYTES 128  /* UPROBE_XOL_SLOT_BYTES; the first slot holds the trampoline */
#define CS_BREAKPOINT	  0xcc /* int3 */

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

/* A function has just returned to the trampoline: goes on in its caller. Within its system call the
 * kernel first takes from rsp what the trampoline pushed, then forgets the original, and only then
 * writes it to the stack: for that moment it is not known. */
static __always_inline int cs_leave_trampoline(struct cs_unwind *walk)
{
	__u64 sp = walk->regs[CS_REG_RSP], addr;

	walk->slot = sp + cs_trampoline_slot(walk->pc - walk->trampoline);
	addr = cs_original_return(walk);
	if (!addr && (cs_read_user(&addr, sizeof(addr), walk->slot) || !cs_follows_call(addr))) {
		walk->slot = sp - 8;
		addr = cs_original_return(walk);
	}
	if (!addr)
		return CS_STACK_TRAMPOLINE;
	walk->pc = addr;
	walk->regs[CS_REG_RSP] = walk->slot + 8;
	walk->exact = 0;
	return 0;
}

/* The leaf was interrupted in the uprobes page: goes to where it is as the program sees it. Not 0:
 * why that is not known. */
static __always_inline int cs_leave_uprobes_page(struct task_struct *task, struct cs_unwind *walk)
{
	struct uprobe_task *utask = task->utask;
	__u64 copy;

	if (!utask || walk->trampoline == 0 || walk->pc - walk->trampoline >= 4096)
		return 0;
	if (walk->pc - walk->trampoline < CS_XOL_SLOT_BYTES)
		return cs_leave_trampoline(walk);
	copy = BPF_CORE_READ(utask, xol_vaddr);
	if (walk->pc - copy < CS_XOL_SLOT_BYTES)
		walk->pc = BPF_CORE_READ(utask, vaddr) + (walk->pc - copy);
	return 0;
}

static __always_inline bool cs_is_return_address(const struct cs_unwind *walk, __u64 slot)
{
	__u64 addr;

	return !cs_read_user(&addr, sizeof(addr), slot) &&
	       ((addr && addr == walk->trampoline) || cs_follows_call(addr));
}

/* By the tables nothing but the return address is on the stack. */
static __always_inline bool cs_stack_is_empty_at(struct cs_unwind *walk, __u64 pc)
{
	const struct cs_unwind_rule *rule;

	if (!cs_find_code(walk, pc) || walk->kind != CS_CODE_TABLE)
		return false;
	rule = cs_unwind_rule_at(walk->rule);
	return rule && rule->kind == CS_UNWIND_CFA && rule->reg == CS_REG_RSP && rule->offset == 8;
}

/* Of a thread that is in the kernel. Until a breakpoint is handled, pc is behind it, where another
 * rule may be in force than at the probed instruction, which was not executed. While a push is
 * emulated, rsp has moved and pc has not. Both matter where functions begin and return. */
static __always_inline void cs_leave_breakpoint(struct cs_unwind *walk)
{
	__u64 sp = walk->regs[CS_REG_RSP], pc = walk->pc;
	__u8 code[2]; /* before pc, at pc */
	bool pushed;

	if (cs_read_user(code, sizeof(code), pc - 1))
		return;
	if (code[0] != CS_BREAKPOINT && code[1] != CS_BREAKPOINT)
		return;
	pushed = !cs_is_return_address(walk, sp);
	pc -= !pushed;
	if ((pushed ? code[1] : code[0]) != CS_BREAKPOINT || !cs_stack_is_empty_at(walk, pc))
		return;
	if (!pushed)
		walk->pc = pc;
	else if (cs_is_return_address(walk, sp + 8))
		walk->regs[CS_REG_RSP] += 8;
}

#endif
