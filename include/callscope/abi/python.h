/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What bpf/cpu.bpf.c and userspace/collect share about processes that run CPython 3.11 to 3.13:
 * where the interpreter keeps its frames, and the records of the Python half of a stack. Offsets
 * are in bytes, from the debug offsets of the interpreter or from userspace/python/layouts. */
#ifndef CALLSCOPE_ABI_PYTHON_H
#define CALLSCOPE_ABI_PYTHON_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

#include "callscope/abi/cpu.h"

/* Of one stack, at most; recursion in Python ends there by default. */
#define CS_PYTHON_FRAMES     1024
#define CS_PYTHON_EVALS	     4	 /* pieces of code that the evaluation loop consists of */
#define CS_PYTHON_THREADS    512 /* that are looked at to find the current one's state */
#define CS_PYTHON_NAME_BYTES 256 /* of a function's name, at most */
#define CS_PYTHON_FILE_BYTES 512
#define CS_PYTHON_LINE_BYTES 4096 /* of a location table */

/* The parts of interpreter structures that are read as one block each. */
#define CS_PYTHON_THREAD_BYTES 192
#define CS_PYTHON_FRAME_BYTES  72
#define CS_PYTHON_CODE_BYTES   152

/* Where fields lie in the interpreter's structures. Those of a block end before its size. */
struct cs_python_layout {
	__u32 interpreters_head; /* _PyRuntimeState */
	__u32 interpreter_next;	 /* PyInterpreterState */
	__u32 threads_head;
	__u32 thread_next; /* PyThreadState, below CS_PYTHON_THREAD_BYTES */
	__u32 thread_id;
	__u32 thread_frame; /* the innermost frame, or the _PyCFrame that has it */
	__u32 by_cframe;    /* 1: 3.11 and 3.12 */
	__u32 cframe_frame; /* _PyCFrame */
	__u32 frame_code;   /* _PyInterpreterFrame, below CS_PYTHON_FRAME_BYTES */
	__u32 frame_previous;
	__u32 frame_instruction;
	__u32 frame_owner;
	__u32 frame_is_entry; /* 3.11: not 0 in the outermost frame of an evaluation loop */
	__u32 has_is_entry;   /* 0: a frame of owner CS_PYTHON_OWNED_BY_C ends each loop */
	__u32 code_units;     /* PyCodeObject, below CS_PYTHON_CODE_BYTES: length in code units */
	__u32 code_first_line;
	__u32 code_filename;
	__u32 code_qualname;
	__u32 code_linetable;
	__u32 code_start;     /* the only one that may lie behind */
	__u32 string_ascii;   /* where the text of an ASCII string begins: size of PyASCIIObject */
	__u32 string_compact; /* PyCompactUnicodeObject: the same of other strings */
};

#define CS_PYTHON_OWNED_BY_C 3 /* FRAME_OWNED_BY_CSTACK */

/* [start, end) of code. */
struct cs_python_range {
	__u64 start;
	__u64 end;
};

/* Value of the map by tgid. */
struct cs_python_process {
	__u64 runtime;	 /* address of _PyRuntime */
	__u64 code_type; /* of PyCode_Type: what every code object is of */
	/* Goes up before a code object is freed, from a number that no other process has: as long
	 * as that is watched, those that were met until then need not be read again. */
	__u64 generation;
	__u32 watched; /* 0, 1 */
	__u32 pad;
	struct cs_python_range evals[CS_PYTHON_EVALS]; /* _PyEval_EvalFrameDefault; unused: 0 */
	__u64 prologue_end; /* before it the loop may not have linked its frame yet */
	__u64 eval_bytes;   /* of stack that the loop has below its caller's frame */
	struct cs_python_layout layout;
};

/* Why there are no Python frames. */
enum cs_python_end {
	CS_PYTHON_GOES_ON = 0, /* never in a record */
	CS_PYTHON_COMPLETE,    /* at the thread's outermost frame */
	CS_PYTHON_DEPTH,       /* CS_PYTHON_FRAMES frames, and there are more */
	CS_PYTHON_NO_THREAD,   /* the thread's state was not found */
	CS_PYTHON_BROKEN,      /* a link led to what is no frame of a code object */
	CS_PYTHON_LINKING,     /* the loop was just about to link its frame */
	CS_PYTHON_ENDS
};

/* Of the frames that one evaluation loop has: the loop is behind it. */
#define CS_PYTHON_OUTERMOST 1
/* The loop has no frame of a function at this moment. */
#define CS_PYTHON_NO_FRAME 2

struct cs_python_frame {
	__u64 code;	   /* identity of a code object; its record came before */
	__s32 instruction; /* index of the code unit; -1: not begun */
	__u32 flags;
};

#define CS_RECORD_PYTHON_CODE  4 /* beside the kinds of abi/cpu.h */
#define CS_RECORD_PYTHON_STACK 5

/* CS_RECORD_PYTHON_STACK: the Python frames of the stack whose record follows; only the used frames
 * are sent. */
struct cs_python_stack_record {
	__u32 kind;
	__u32 size;
	struct cs_stack_key key;
	__u32 n_frames; /* leaf first */
	__u32 end;	/* enum cs_python_end */
	struct cs_python_frame frames[CS_PYTHON_FRAMES];
};

/* A string as the interpreter keeps it: length characters of 1, 2 or 4 bytes. */
struct cs_python_text {
	__u32 length; /* characters; what the buffer has no room for is missing */
	__u32 width;  /* bytes a character; 0: it could not be read */
};

/* CS_RECORD_PYTHON_CODE: sent when a code object is first seen; of lines only what is used. */
struct cs_python_code_record {
	__u32 kind;
	__u32 size;
	__u64 code; /* identity */
	__u64 addr; /* of the object */
	__u32 tgid;
	__u32 first_line;
	struct cs_python_text name;
	struct cs_python_text file;
	__u64 lines_addr;  /* of the location table's bytes */
	__u32 lines_bytes; /* of the whole table */
	__u32 lines_sent;
	__u8 name_text[CS_PYTHON_NAME_BYTES];
	__u8 file_text[CS_PYTHON_FILE_BYTES];
	__u8 lines[CS_PYTHON_LINE_BYTES];
};

#ifndef __bpf__
static_assert(sizeof(struct cs_python_layout) == 88, "abi");
static_assert(sizeof(struct cs_python_process) == 200, "abi");
static_assert(sizeof(struct cs_python_frame) == 16, "abi");
static_assert(sizeof(struct cs_python_stack_record) == 32 + 16 * CS_PYTHON_FRAMES, "abi");
static_assert(sizeof(struct cs_python_code_record) ==
		  64 + CS_PYTHON_NAME_BYTES + CS_PYTHON_FILE_BYTES + CS_PYTHON_LINE_BYTES,
	      "abi");
#endif

#endif
