/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Where a walk begins: the user registers of the current thread. */
#ifndef CALLSCOPE_BPF_UNWIND_REGISTERS_BPF_H
#define CALLSCOPE_BPF_UNWIND_REGISTERS_BPF_H

#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>

#include "common/unwind/state.bpf.h"

#define CS_USER_CODE_SEGMENT 0x33 /* of 64-bit code: __USER_CS */

static __always_inline void cs_set_registers(struct cs_unwind *walk, const struct pt_regs *regs)
{
	walk->pc = regs->ip;
	walk->regs[0] = regs->ax;
	walk->regs[1] = regs->dx;
	walk->regs[2] = regs->cx;
	walk->regs[3] = regs->bx;
	walk->regs[4] = regs->si;
	walk->regs[5] = regs->di;
	walk->regs[6] = regs->bp;
	walk->regs[7] = regs->sp;
	walk->regs[8] = regs->r8;
	walk->regs[9] = regs->r9;
	walk->regs[10] = regs->r10;
	walk->regs[11] = regs->r11;
	walk->regs[12] = regs->r12;
	walk->regs[13] = regs->r13;
	walk->regs[14] = regs->r14;
	walk->regs[15] = regs->r15;
}

/* The thread was not in the kernel. interrupted: context of a sampling event, or NULL elsewhere. */
static __always_inline bool cs_interrupted_user(void *interrupted)
{
	return interrupted && ((const struct pt_regs *)interrupted)->cs == CS_USER_CODE_SEGMENT;
}

/* The context has the registers of what was interrupted; if that was the kernel, those of the
 * program lie on its stack. False: there are none. */
static __always_inline bool cs_get_interrupted(void *interrupted, struct task_struct *task,
					       struct cs_unwind *walk)
{
	struct pt_regs entered;

	if (cs_interrupted_user(interrupted)) {
		cs_set_registers(walk, interrupted);
		return true;
	}
	if (bpf_probe_read_kernel(&entered, sizeof(entered), (void *)bpf_task_pt_regs(task)))
		return false;
	cs_set_registers(walk, &entered);
	return entered.cs == CS_USER_CODE_SEGMENT && entered.ip;
}

#endif
