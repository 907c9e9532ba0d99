/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* From a frame to its caller's. Pure logic, also compiled in user space by tests/unit/unwind. The
 * includer defines before, beside what tables.bpf.h needs:
 *   cs_read_user(to, size, from)       0 if user memory could be read
 *   cs_original_return(walk)           what a return probe replaced in walk->slot; 0: not known
 *
 * Nothing is guessed: an address that lies in no code is never a frame. */
#ifndef CALLSCOPE_BPF_UNWIND_STEP_BPF_H
#define CALLSCOPE_BPF_UNWIND_STEP_BPF_H

#include "common/unwind/memory.bpf.h"
#include "common/unwind/state.bpf.h"
#include "common/unwind/tables.bpf.h"

CS_INLINE int cs_get_register(struct cs_unwind *walk, __u32 reg, __u64 *value)
{
	reg &= CS_REG_COUNT - 1;
	if (!(walk->known >> reg & 1))
		return CS_STACK_NO_REGISTER;
	if (walk->at[reg]) {
		if (cs_read_stack(walk, walk->at[reg], &walk->regs[reg]))
			return CS_STACK_READ_FAULT;
		walk->at[reg] = 0;
	}
	*value = walk->regs[reg];
	return 0;
}

/* Where to look pc up: the call before a return address may be the last one of its function. */
CS_INLINE __u64 cs_lookup_addr(const struct cs_unwind *walk)
{
	return walk->pc - !walk->exact;
}

/* The caller goes on at this return address, which was in walk->slot. */
CS_INLINE int cs_return_to(struct cs_unwind *walk, __u64 addr)
{
	if (addr == 0)
		return CS_STACK_ZERO_RETURN;
	if (addr == walk->trampoline) {
		addr = cs_original_return(walk);
		if (addr == 0)
			return CS_STACK_TRAMPOLINE;
	}
	walk->pc = addr;
	walk->exact = 0;
	return 0;
}

CS_INLINE int cs_frame_address(struct cs_unwind *walk, const struct cs_unwind_rule *rule,
			       __u64 *frame)
{
	__u64 base;
	int end;

	if (rule->kind == CS_UNWIND_PLT) {
		*frame = walk->regs[CS_REG_RSP] + 8;
		if ((walk->pc & 15) >= (__u32)rule->offset)
			*frame += 8;
		return 0;
	}
	end = cs_get_register(walk, rule->reg, &base);
	if (end)
		return end;
	base += (__s64)rule->offset;
	if (rule->kind == CS_UNWIND_CFA_DEREF) {
		if (cs_read_stack(walk, base, &base))
			return CS_STACK_READ_FAULT;
		base += (__s64)rule->add;
	}
	*frame = base;
	return 0;
}

/* The registers of enum cs_unwind_saved by DWARF number. */
CS_INLINE __u32 cs_saved_register(int saved)
{
	return saved == CS_SAVED_RBP   ? CS_REG_RBP
	       : saved == CS_SAVED_RBX ? CS_REG_RBX
				       : CS_REG_R12 + (__u32)(saved - CS_SAVED_R12);
}

/* Notes where the caller's registers lie. */
CS_INLINE int cs_restore_registers(struct cs_unwind *walk, const struct cs_unwind_rule *rule,
				   __u64 frame)
{
	__u64 base = frame;
	int end = 0;

	if (rule->saved & CS_UNWIND_SAVED_BY_RBP)
		end = cs_get_register(walk, CS_REG_RBP, &base);
	if (end)
		return end;
#pragma GCC unroll 6
	for (int i = 0; i < CS_SAVED_COUNT; i++)
		if (rule->saved >> i & 1) {
			walk->at[cs_saved_register(i)] = base + 8 * (__s64)rule->saved_at[i];
			walk->known |= 1u << cs_saved_register(i);
		}
	walk->known &= rule->saved & CS_UNWIND_RBP_ONLY ? CS_REGS_RBP_RSP : CS_REGS_PRESERVED;
	return 0;
}

CS_INLINE int cs_step_by_rule(struct cs_unwind *walk, const struct cs_unwind_rule *rule)
{
	__u64 frame, caller, sp = walk->regs[CS_REG_RSP];
	int end = cs_frame_address(walk, rule, &frame);

	if (end)
		return end;
	/* A function that holds its return address in a register may have popped it. */
	if (frame < sp || (frame == sp && rule->ra == CS_UNWIND_RA_AT_CFA))
		return CS_STACK_BACKWARD;
	walk->slot = frame - 8;
	if (rule->ra != CS_UNWIND_RA_AT_CFA)
		end = cs_get_register(walk, rule->ra, &caller);
	else if (cs_read_stack(walk, walk->slot, &caller))
		end = CS_STACK_READ_FAULT;
	if (end)
		return end;
	end = cs_restore_registers(walk, rule, frame);
	if (end)
		return end;
	walk->regs[CS_REG_RSP] = frame;
	walk->by_frame_pointer = 0;
	return cs_return_to(walk, caller);
}

/* The eight bytes end with a call instruction. 0xcc: one that bears a probe. */
CS_INLINE int cs_ends_with_call(const __u8 *code)
{
	if (code[3] == 0xe8 || code[3] == 0xcc)
		return 1;
	/* ff /2 with no, one or four bytes of displacement, with or without SIB */
	return (code[6] == 0xff && (code[7] >> 3 & 7) == 2) ||
	       (code[5] == 0xff && (code[6] >> 3 & 7) == 2) ||
	       (code[4] == 0xff && (code[5] >> 3 & 7) == 2) ||
	       (code[2] == 0xff && (code[3] >> 3 & 7) == 2) ||
	       (code[1] == 0xff && (code[2] >> 3 & 7) == 2);
}

CS_INLINE int cs_follows_call(__u64 addr)
{
	__u8 code[8];

	return !cs_read_user(code, sizeof(code), addr - sizeof(code)) && cs_ends_with_call(code);
}

/* The same of what lies where a return address should. The kernel may have taken code out of the
 * page table that has not run for a while, as khugepaged may: then it is enough that it is code.
 * Nothing on the stack: those of all calls together have 512 bytes, which the offcpu object needs
 * on kernels that round up each to 32.
 */
CS_INLINE int cs_may_follow_call(struct cs_unwind *walk, __u64 addr)
{
	if (cs_read_user(walk->gregs, sizeof(walk->gregs[0]), addr - sizeof(walk->gregs[0])))
		return cs_find_range(walk, addr - 1);
	return cs_ends_with_call((const __u8 *)walk->gregs);
}

/* Code without a table. failed: what to say when rbp is not the frame pointer of its caller. */
CS_INLINE int cs_step_by_frame_pointer(struct cs_unwind *walk, int failed)
{
	__u64 caller_rbp = 0, addr = 0, frame, sp = walk->regs[CS_REG_RSP];

	if (cs_get_register(walk, CS_REG_RBP, &frame))
		return failed;
	if (frame == 0 && walk->by_frame_pointer)
		return CS_STACK_COMPLETE; /* the outermost caller has none */
	if (frame < sp || frame & 7 || cs_read_stack(walk, frame, &caller_rbp) ||
	    cs_read_stack(walk, frame + 8, &addr))
		return failed;
	if (addr && addr != walk->trampoline && !cs_may_follow_call(walk, addr))
		return failed;
	walk->slot = frame + 8;
	walk->regs[CS_REG_RBP] = caller_rbp;
	walk->regs[CS_REG_RSP] = frame + 16;
	walk->known = CS_REGS_RBP_RSP;
	walk->by_frame_pointer = 1;
	return cs_return_to(walk, addr);
}

/* The frame that the kernel made to call a signal handler: the interrupted registers, all of them,
 * lie in it. They may be of another stack. */
CS_INLINE int cs_step_over_signal(struct cs_unwind *walk, const struct cs_unwind_rule *rule)
{
	__u64 from = walk->regs[CS_REG_RSP] + (__s64)rule->offset + CS_UCONTEXT_REGS;
	const __u64 *gregs = walk->gregs;

	if (cs_read_user(walk->gregs, sizeof(walk->gregs), from))
		return CS_STACK_READ_FAULT;
	walk->regs[0] = gregs[CS_GREG_RAX];
	walk->regs[1] = gregs[CS_GREG_RDX];
	walk->regs[2] = gregs[CS_GREG_RCX];
	walk->regs[3] = gregs[CS_GREG_RBX];
	walk->regs[4] = gregs[CS_GREG_RSI];
	walk->regs[5] = gregs[CS_GREG_RDI];
	walk->regs[6] = gregs[CS_GREG_RBP];
	walk->regs[7] = gregs[CS_GREG_RSP];
	for (int i = 0; i < 8; i++)
		walk->regs[8 + i] = gregs[CS_GREG_R8 + i];
	for (int i = 0; i < CS_REG_COUNT; i++)
		walk->at[i] = 0;
	walk->known = CS_REG_ALL;
	walk->by_frame_pointer = 0;
	walk->pc = gregs[CS_GREG_RIP];
	walk->exact = 1;
	return 0;
}

/* Makes the caller of the frame, of which walk->kind and walk->rule say how, the frame. enum
 * cs_stack_end. */
CS_SUBPROGRAM int cs_unwind_step(struct cs_unwind *walk)
{
	const struct cs_unwind_rule *rule;

	if (!walk)
		return CS_STACK_BAD_RULE;
	if (walk->kind == CS_CODE_UNKNOWN)
		return CS_STACK_NO_TABLE;
	if (walk->kind != CS_CODE_TABLE)
		return cs_step_by_frame_pointer(
		    walk, walk->kind == CS_CODE_JIT ? CS_STACK_JIT : CS_STACK_NO_TABLE);
	rule = cs_unwind_rule_at(walk->rule);
	if (!rule)
		return CS_STACK_BAD_RULE;
	switch (rule->kind) {
	case CS_UNWIND_END:
		return CS_STACK_COMPLETE;
	case CS_UNWIND_NO_TABLE:
		return CS_STACK_NO_TABLE;
	case CS_UNWIND_FRAME_POINTER:
		return cs_step_by_frame_pointer(walk, CS_STACK_NO_TABLE);
	case CS_UNWIND_SIGNAL:
		return cs_step_over_signal(walk, rule);
	case CS_UNWIND_CFA:
	case CS_UNWIND_CFA_DEREF:
	case CS_UNWIND_PLT:
		return cs_step_by_rule(walk, rule);
	}
	return CS_STACK_BAD_RULE;
}

/* Finds what is in force in the frame. enum cs_stack_end. */
CS_INLINE int cs_enter_frame(struct cs_unwind *walk)
{
	if (cs_find_code(walk, cs_lookup_addr(walk)))
		return 0;
	walk->missed = walk->pc;
	return CS_STACK_NO_MAPPING;
}

/* From a frame that was entered to its caller, entered too. enum cs_stack_end. */
CS_INLINE int cs_go_to_caller(struct cs_unwind *walk)
{
	int end = cs_unwind_step(walk);

	return end ? end : cs_enter_frame(walk);
}

#endif
