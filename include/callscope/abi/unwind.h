/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Unwind tables as the walker in bpf/common/unwind.bpf.h reads them: compiled from .eh_frame by
 * userspace/unwind. A table covers the executable segments of one module in pages of 64 KiB of ELF
 * virtual addresses; a page is a run of rows sorted by address, and its first row starts at its
 * first byte. A row names a rule of a dictionary that all modules share. */
#ifndef CALLSCOPE_ABI_UNWIND_H
#define CALLSCOPE_ABI_UNWIND_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

#define CS_UNWIND_PAGE_BITS 16
#define CS_UNWIND_PAGE_SIZE (1u << CS_UNWIND_PAGE_BITS)

/* In force from pc_low up to the next row of the page. */
struct cs_unwind_row {
	__u16 pc_low; /* low 16 bits of the address */
	__u16 rule;   /* index into the dictionary */
};

/* How the canonical frame address (CFA: rsp before the call) follows from the registers. */
enum cs_unwind_kind {
	CS_UNWIND_NO_TABLE = 0, /* no FDE covers these addresses */
	CS_UNWIND_END,		/* return address undefined: the outermost frame */
	CS_UNWIND_INVALID,	/* cannot be represented; offset: enum cs_unwind_invalid */
	CS_UNWIND_CFA,		/* CFA = reg + offset */
	CS_UNWIND_CFA_DEREF,	/* CFA = *(reg + offset) + add */
	CS_UNWIND_PLT,		/* CFA = rsp + 8 + ((pc & 15) >= offset ? 8 : 0) */
	CS_UNWIND_SIGNAL, /* a signal frame: all registers are in the ucontext at rsp + offset */
	CS_UNWIND_FRAME_POINTER, /* no FDE, in a file that describes less than half of its code */
};

enum cs_unwind_invalid {
	CS_UNWIND_INVALID_CFA_EXPRESSION = 1,
	CS_UNWIND_INVALID_REGISTER_EXPRESSION,
	CS_UNWIND_INVALID_RETURN_ADDRESS, /* neither at CFA - 8, in a register nor undefined */
	CS_UNWIND_INVALID_RANGE,	  /* an offset that does not fit */
	CS_UNWIND_INVALID_PROGRAM,	  /* the table itself is damaged */
	CS_UNWIND_INVALID_REASONS
};

/* The registers that a caller may rely on, in the order of saved_at. */
enum cs_unwind_saved {
	CS_SAVED_RBP = 0,
	CS_SAVED_RBX,
	CS_SAVED_R12,
	CS_SAVED_R13,
	CS_SAVED_R14,
	CS_SAVED_R15,
	CS_SAVED_COUNT
};

#define CS_UNWIND_RA_AT_CFA 0xff /* cs_unwind_rule.ra: the return address is at CFA - 8 */

/* Flags in cs_unwind_rule.saved, above the bits of enum cs_unwind_saved. RBP_ONLY: no rule of this
 * module needs the other registers, so they are not recorded and unknown in the caller.
 * SAVED_BY_RBP: saved_at counts from rbp of this frame, not from the CFA (code that aligns its
 * stack). */
#define CS_UNWIND_RBP_ONLY     0x40
#define CS_UNWIND_SAVED_BY_RBP 0x80

struct cs_unwind_rule {
	__u8 kind;    /* enum cs_unwind_kind */
	__u8 reg;     /* that the CFA comes from; DWARF number: 6 rbp, 7 rsp */
	__u8 ra;      /* DWARF number of the register that holds it */
	__u8 saved;   /* bit i: register i was saved; else it is unchanged; flags */
	__s32 offset; /* bytes */
	__s32 add;    /* bytes */
	__s16 saved_at[CS_SAVED_COUNT]; /* 8-byte words from the CFA, mostly negative */
};

#ifndef __bpf__
static_assert(sizeof(struct cs_unwind_row) == 4, "abi");
static_assert(sizeof(struct cs_unwind_rule) == 24, "abi");
#endif

#endif
