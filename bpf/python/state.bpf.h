/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A part of stacks/: where a walk of Python frames stands. Structures of the interpreter are read
 * as blocks, of which a field is taken at an offset that user space gave. */
#ifndef CALLSCOPE_BPF_PYTHON_STATE_BPF_H
#define CALLSCOPE_BPF_PYTHON_STATE_BPF_H

#include "callscope/abi/python.h"
#include "common/call_types.bpf.h"

/* Offsets are masked so that the verifier knows them to lie inside, whatever user space gave. */
#define CS_PYTHON_BLOCK_MASK  255u
#define CS_PYTHON_BLOCK_BYTES (CS_PYTHON_BLOCK_MASK + 9)

#define CS_PYTHON_NAME_HASHED 64  /* bytes of a function's name that its identity depends on */
#define CS_PYTHON_NAME_BLOCK  144 /* bytes of a string that hold these and its head */

/* Frames of functions that call each other lie one behind the other: they are read together, a page
 * at a time, as most of what a small read costs is the call. What lies beside it may be missing. */
#define CS_PYTHON_PAGE_BYTES  4096ull
#define CS_PYTHON_WINDOW_LAST (CS_PYTHON_PAGE_BYTES - CS_PYTHON_FRAME_BYTES)

/* Code objects that were met. Those of the same epoch are as they were: it ends when one of the
 * process is freed, as another may lie there then; or, where nobody watches that, with the walk. */
#define CS_PYTHON_RECENT_BITS 8
struct cs_python_recent_code {
	__u64 addr;
	__u64 identity;
	__u64 epoch; /* 0: to be read again */
	__u32 tgid;  /* user space was told of it in this process; 0: was not */
	__u32 units; /* of two bytes: its length */
};

/* Two of the same hash, as a stack may have both. The last one first. */
struct cs_python_recent_codes {
	struct cs_python_recent_code code[2];
};

#define CS_PYTHON_WALK_EPOCH (1ull << 63) /* no generation of a process has this bit */

struct cs_python_walk {
	struct cs_python_process process; /* a copy */
	__u64 fsbase;			  /* of the thread: its pthread_self() */
	__u64 cframe; /* of the innermost loop; where there is none, the frame */
	__u64 frame;  /* that comes next; 0: none */
	__u64 hash;   /* over all frames found */
	__u64 number; /* of this walk among those that use this state, from 1 */
	__u64 epoch;  /* of the code objects */
	__u32 tgid;
	__u32 unsent; /* 1: user space does not know all code objects of this stack */
	struct cs_python_recent_codes recent[1 << CS_PYTHON_RECENT_BITS]; /* by a hash of addr */
	__u8 thread[CS_PYTHON_BLOCK_BYTES];
	__u64 window_at;   /* address of window[0]; 0: nothing was read */
	__u64 window_last; /* offset of the last frame that it holds whole */
	__u8 window[CS_PYTHON_WINDOW_LAST + CS_PYTHON_BLOCK_BYTES];
	__u8 code[CS_PYTHON_BLOCK_BYTES];
	__u8 name[CS_PYTHON_BLOCK_BYTES]; /* CS_PYTHON_NAME_BLOCK are used */
};

/* Key of the map of code objects that user space was told of. */
struct cs_python_code_key {
	__u64 code; /* identity */
	__u32 tgid;
	__u32 pad;
};

static __always_inline __u64 cs_python_u64(const __u8 *block, __u32 off)
{
	return *(const __u64 *)(block + (off & CS_PYTHON_BLOCK_MASK));
}

static __always_inline __u32 cs_python_u32(const __u8 *block, __u32 off)
{
	return *(const __u32 *)(block + (off & CS_PYTHON_BLOCK_MASK));
}

static __always_inline __u8 cs_python_u8(const __u8 *block, __u32 off)
{
	return block[off & CS_PYTHON_BLOCK_MASK];
}

#endif
