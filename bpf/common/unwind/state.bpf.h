/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Where a walk of a user stack stands. Plain types, compiled for BPF and in user space. */
#ifndef CALLSCOPE_BPF_UNWIND_STATE_BPF_H
#define CALLSCOPE_BPF_UNWIND_STATE_BPF_H

#include "callscope/abi/code.h"
#include "callscope/abi/unwind.h"
#include "common/call_types.bpf.h"

/* Registers by DWARF number. */
#define CS_REG_RBX   3
#define CS_REG_RBP   6
#define CS_REG_RSP   7
#define CS_REG_R12   12
#define CS_REG_COUNT 16
#define CS_REG_ALL   0xffffu

#define CS_REGS_RBP_RSP (1u << CS_REG_RBP | 1u << CS_REG_RSP)
/* What a call preserves. */
#define CS_REGS_PRESERVED (CS_REGS_RBP_RSP | 1u << CS_REG_RBX | 0xf000u)

/* The registers in a ucontext, struct sigcontext of the kernel. */
#define CS_UCONTEXT_REGS 40
enum cs_greg {
	CS_GREG_R8 = 0,
	CS_GREG_RDI = 8,
	CS_GREG_RSI,
	CS_GREG_RBP,
	CS_GREG_RBX,
	CS_GREG_RDX,
	CS_GREG_RAX,
	CS_GREG_RCX,
	CS_GREG_RSP,
	CS_GREG_RIP,
	CS_GREG_COUNT
};

/* Where the rule of an address is, which lies in code with a table: stacks go through the same
 * callers again and again. */
#define CS_RECENT_BITS	8
#define CS_RECENT_RULES (1 << CS_RECENT_BITS)
struct cs_recent_rule {
	__u64 addr;
	__u32 rule;	  /* index into the dictionary */
	__u32 generation; /* of the code that this is about */
};

/* Stack memory is read in pieces that hold several frames: most of what a small read costs is the
 * call. */
#define CS_WINDOW_WORDS 64 /* a power of two */
#define CS_WINDOW_BELOW 48 /* bytes below the word that is wanted: saved registers */

/* About one frame. A register that was saved on the stack is read only when a rule needs it: most
 * walks need nothing but the return addresses. */
struct cs_unwind {
	__u64 pc;
	__u64 regs[CS_REG_COUNT]; /* values ... */
	__u64 at[CS_REG_COUNT];	  /* ... of those that still lie on the stack, where; else 0 */
	__u32 known;		  /* bit n: register n */
	__u32 exact;		  /* 1: pc is the next instruction; 0: a return address */
	__u32 by_frame_pointer;	  /* 1: this frame was found by one */
	__u32 generation;	  /* of the process's code, which range is of, too; 0: none */
	__u32 first_range;	  /* of the process */
	__u32 n_ranges;
	__u32 depth;		    /* frames walked ... */
	__u32 limit;		    /* ... of at most so many */
	__u32 left_out;		    /* 1: the middle of these is not among the frames */
	__u64 begin_ns;		    /* of this walk */
	__u64 unpaid_ns;	    /* that walks took and that their budget has not paid yet */
	__u32 kind;		    /* of the code that pc lies in: enum cs_code_kind */
	__u32 rule;		    /* there, if it has a table: index, or CS_NO_RULE */
	struct cs_code_range range; /* that was looked up last */
	__u64 trampoline;	    /* where pending return probes return to; 0: none */
	__u64 missed;		    /* address that lay in no range; 0: none */
	__u64 slot;		    /* where the return address of this frame's callee was */
	__u64 original;		    /* what a return probe replaced in slot */
	__u64 gregs[CS_GREG_COUNT]; /* to read a ucontext into, or code */
	__u64 window_at;	    /* address of window[0] */
	__u32 window_bytes;	    /* 0: nothing was read */
	__u32 pad;
	__u64 window[CS_WINDOW_WORDS];
	struct cs_recent_rule recent[CS_RECENT_RULES]; /* by a hash of addr */
	/* The last ones behind CS_INNER_FRAMES, by depth modulo size. */
	__u64 outer[CS_OUTER_FRAMES];
};

/* Leaf first. */
struct cs_user_frames {
	__u64 addr[CS_USER_FRAMES];
};

#endif
