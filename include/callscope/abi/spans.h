/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What bpf/spans.bpf.c and userspace/collect/spans share: the places where spans begin and end, how
 * the key is found that pairs both ends, and the statistics of each row. Sites are written by user
 * space before the probes are attached; statistics by BPF with atomic adds, read through mmap. */
#ifndef CALLSCOPE_ABI_SPANS_H
#define CALLSCOPE_ABI_SPANS_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

#define CS_SPANS_MAX	  64  /* spans asked for one by one: a bit each in thread_keyed */
#define CS_SPAN_NAMES_MAX 256 /* names of spans that the program marks by callscope/span.hpp */
#define CS_SPAN_NAME_LEN  64  /* bytes of such a name with its NUL; longer ones are cut */

/* Span of cs_span_site and cs_span_key: the row follows from a name that is read at the begin. */
#define CS_SPAN_BY_NAME 0xffffffffu

/* rodata of the spans object, set between open and load. Rows: the spans asked for, then markers
 * that are only counted, then CS_SPAN_NAMES_MAX for spans by name, or none. */
struct cs_span_config {
	__u32 tgid;	   /* the first target, as the initial PID namespace counts */
	__u32 n_spans;	   /* rows 0 .. n_spans-1 have a beginning and an end; <= CS_SPANS_MAX */
	__u32 first_named; /* row of the first name */
	__u32 n_rows;	   /* of all kinds */
	__u32 n_sites;	   /* cookies are 0 .. n_sites-1 */
	__u32 pad;
	__u64 thread_keyed; /* bit i: the key of span i is the thread id */
};

/* What happens at a site, in this order. */
#define CS_SPAN_COUNT 1u /* a hit of a marker */
#define CS_SPAN_KEEP  2u /* a function is entered: keep its argument for when it is left */
#define CS_SPAN_END   4u
#define CS_SPAN_BEGIN 8u

enum cs_value_kind {
	CS_VALUE_NONE = 0, /* there is none: key of counted markers, name of spans that have one */
	CS_VALUE_THREAD,   /* the thread id */
	CS_VALUE_CONSTANT, /* offset itself */
	CS_VALUE_REGISTER, /* size bytes of register base */
	CS_VALUE_MEMORY,   /* size bytes at base + index * scale + offset */
	CS_VALUE_KEPT,	   /* what CS_SPAN_KEEP kept when this frame was entered */
};

#define CS_NO_REGISTER 0xffffu

/* Where an integer is found when a probe fires. Registers are byte offsets into struct pt_regs. */
struct cs_value {
	__u8 kind;  /* enum cs_value_kind */
	__s8 size;  /* bytes: 1, 2, 4, 8; negative: signed */
	__u8 scale; /* 1, 2, 4, 8 */
	__u8 pad;
	__u16 base;  /* CS_NO_REGISTER: none */
	__u16 index; /* CS_NO_REGISTER: none */
	__s64 offset;
};

/* Element of map cs_span_sites; its index is the cookie of the probe. */
struct cs_span_site {
	__u32 span;    /* row, or CS_SPAN_BY_NAME */
	__u32 actions; /* CS_SPAN_ bits */
	struct cs_value key;
	struct cs_value name; /* CS_SPAN_BY_NAME and CS_SPAN_BEGIN: pointer to the name */
};

/* Key of map cs_span_open. */
struct cs_span_key {
	__u64 key;  /* thread id, argument, or address of a Span */
	__u32 span; /* as in the site */
	__u32 tgid;
	__u32 exec_id; /* task->self_exec_id: another exec makes old keys void */
	__u32 pad;
};

struct cs_span_start {
	__u64 begin_ns;
	__u32 row;
	__u32 pad;
};

/* Key of map cs_span_kept: a function that is open at this return slot. Slots, not threads, so that
 * a coroutine may be left on another thread than it was entered on. */
struct cs_span_frame {
	__u64 slot;
	__u32 span;
	__u32 tgid;
};

struct cs_span_name {
	char text[CS_SPAN_NAME_LEN];
};

/* Element of map cs_span_stats. Finished ones are the sum of the histogram; open ones are begun -
 * finished - restarted - lost - abandoned. */
struct cs_span_stats {
	__u64 begun;	 /* or hits of a counted marker */
	__u64 restarted; /* begun again with the same key before the end: the later begin counts */
	__u64 unmatched; /* ends without a beginning, exits whose entry was not seen */
	__u64 lost;	 /* begun, but there was no room to remember it */
	__u64 abandoned; /* begun by a thread that has ended since */
	__u64 sum_ns;
	__u64 min_inv; /* ~minimum, so that zeroed memory means "none yet" */
	__u64 max_ns;
};

#ifndef __bpf__
static_assert(sizeof(struct cs_span_config) == 32, "abi");
static_assert(sizeof(struct cs_value) == 16, "abi");
static_assert(sizeof(struct cs_span_site) == 40, "abi");
static_assert(sizeof(struct cs_span_key) == 24, "abi");
static_assert(sizeof(struct cs_span_start) == 16, "abi");
static_assert(sizeof(struct cs_span_frame) == 16, "abi");
static_assert(sizeof(struct cs_span_name) == CS_SPAN_NAME_LEN, "abi");
static_assert(sizeof(struct cs_span_stats) == 64, "abi");
#endif

#endif
