/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Which code the target processes have mapped and where its unwind table is: what the walker of
 * bpf/common/unwind.bpf.h looks addresses up in. Written by userspace/bpf/unwind_maps, beside the
 * tables themselves (abi/unwind.h). All BPF objects share these maps. */
#ifndef CALLSCOPE_ABI_CODE_H
#define CALLSCOPE_ABI_CODE_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

/* Rows in one element of their map: elements are of 8 bytes or more. */
#define CS_UNWIND_ROW_PAIR 2

/* Frames that are kept of one user stack; the kernel's half is abi/cpu.h's. Of a deeper one the
 * middle is left out: frames[0 .. CS_INNER_FRAMES-1] are the leaf's, the rest the thread's first
 * ones. One that is deeper than CS_WALK_FRAMES is cut behind the leaf's. */
#define CS_INNER_FRAMES 512 /* both powers of two */
#define CS_OUTER_FRAMES 128
#define CS_USER_FRAMES	(CS_INNER_FRAMES + CS_OUTER_FRAMES)
#define CS_WALK_FRAMES	8192

enum cs_code_kind {
	CS_CODE_TABLE = 1, /* pages says where */
	CS_CODE_NO_TABLE,  /* a file or special mapping that has none, or none was wanted */
	CS_CODE_UNKNOWN,   /* the same where frame pointers are not wanted */
	CS_CODE_JIT,	   /* anonymous memory: compiled at run time */
};

/* One executable mapping. The ranges of a process lie together, sorted by start. */
struct cs_code_range {
	__u64 start;
	__u64 bias;    /* ELF virtual address = address - bias; a multiple of the page size */
	__u32 n_pages; /* of 4096 bytes */
	__u32
	    pages;  /* element of the page map = pages + (ELF virtual address >> 16), modulo 2^32 */
	__u32 kind; /* enum cs_code_kind */
	__u32 pad;
};

/* Value of the map by tgid: ranges first .. first+count-1. Replaced as a whole. */
struct cs_process_code {
	__u32 tgid; /* again: an element that was recycled while it was read is another's */
	__u32 first;
	__u32 count;
	__u32 generation; /* not 0; another one whenever any process has other ranges */
	__u64 missed_ns;  /* when BPF last reported code that is in no range */
};

#define CS_UNWIND_RULE_NO_TABLE 0 /* of this kind is the first rule of the shared dictionary */

#define CS_MISSED_EVERY_NS 2000000ull /* between two reports of unknown code of a process */

/* Rows of one page of a table; none: code without a table. */
struct cs_unwind_page {
	__u32 first;
	__u32 count;
};

/* Why a walk of a user stack ended. */
enum cs_stack_end {
	CS_STACK_GOES_ON = 0, /* never in a record */
	CS_STACK_COMPLETE,    /* at the outermost frame of the thread */
	CS_STACK_DEPTH,	      /* CS_WALK_FRAMES frames, and there are more */
	CS_STACK_NO_MAPPING,  /* the return address lies in no code that is known */
	CS_STACK_NO_TABLE,    /* code without unwind table, and its frame pointers lead nowhere */
	CS_STACK_JIT,	      /* the same of code compiled at run time */
	CS_STACK_BAD_RULE,    /* the table cannot express how to go on, or is damaged */
	CS_STACK_NO_REGISTER, /* it goes on from a register that only the leaf frame has */
	CS_STACK_READ_FAULT,  /* stack memory that could not be read */
	CS_STACK_BACKWARD,    /* the caller's frame would lie below this one */
	CS_STACK_TRAMPOLINE,  /* a return probe whose original address is not known */
	CS_STACK_NO_USER,     /* a thread without 64-bit user registers */
	CS_STACK_ZERO_RETURN, /* 0 where the return address was expected */
	CS_STACK_ENDS
};

#ifndef __bpf__
static_assert(sizeof(struct cs_code_range) == 32, "abi");
static_assert(sizeof(struct cs_process_code) == 24, "abi");
static_assert(sizeof(struct cs_unwind_page) == 8, "abi");
#endif

#endif
