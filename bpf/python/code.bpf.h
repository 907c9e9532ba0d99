/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A part of stacks/: code objects. One is told apart from all others that lie at its address
 * sooner or later by what it consists of, its name included; user space is sent name, file and
 * lines when it is first seen, since it may be gone a moment later. */
#ifndef CALLSCOPE_BPF_PYTHON_CODE_BPF_H
#define CALLSCOPE_BPF_PYTHON_CODE_BPF_H

#include "callscope/abi/stats.h"
#include "common/stats.bpf.h"
#include "python/state.bpf.h"
#include "stacks/send.bpf.h"

#define CS_PYTHON_TYPE	      8	 /* in every object: PyObject.ob_type */
#define CS_PYTHON_SIZE	      16 /* in every object of variable size: PyVarObject.ob_size */
#define CS_PYTHON_BYTES_START 32 /* PyBytesObject.ob_sval */
#define CS_PYTHON_TEXT_STATE  32 /* PyASCIIObject.state */

/* PyASCIIObject up to its state. */
struct cs_python_string {
	__u64 refs;
	__u64 type;
	__u64 length; /* characters */
	__u64 hash;
	__u32 state; /* bits 2-4: bytes a character, 5: text follows the header, 6: ASCII */
	__u32 pad;
};

#define CS_PYTHON_ODD 0xff51afd7ed558ccdull

static __always_inline __u64 cs_python_mix(__u64 hash, __u64 value)
{
	hash = (hash ^ value) * CS_PYTHON_ODD;
	return hash ^ hash >> 32;
}

/* Fills text from the head of a string; where in the string its characters lie. 0: elsewhere. */
static __always_inline __u32 cs_python_place_text(const struct cs_python_layout *layout,
						  const struct cs_python_string *head,
						  struct cs_python_text *text)
{
	text->length = 0;
	text->width = 0;
	if (!(head->state >> 5 & 1) || head->length > 0xffff)
		return 0;
	text->length = head->length;
	text->width = head->state >> 2 & 7;
	return head->state >> 6 & 1 ? layout->string_ascii : layout->string_compact;
}

/* Fills text from a string; where its characters lie, or 0: it cannot be read. */
static __always_inline __u64 cs_python_find_text(const struct cs_python_layout *layout,
						 __u64 string, struct cs_python_text *text)
{
	struct cs_python_string head;
	__u32 place;

	if (cs_read_user(&head, sizeof(head), string))
		head.state = 0;
	place = cs_python_place_text(layout, &head, text);
	return place ? string + place : 0;
}

/* The number of bytes of the text that a buffer of max bytes has room for. */
static __always_inline __u32 cs_python_text_bytes(const struct cs_python_text *text, __u32 max)
{
	__u32 bytes = text->length * text->width;

	return bytes > max ? max : bytes;
}

/* Reads a string into walk->name, as far as it is there. False: it is not. */
static __always_inline bool cs_python_read_name(struct cs_python_walk *walk, __u64 string)
{
	__u32 here = CS_PYTHON_PAGE_BYTES - (string & (CS_PYTHON_PAGE_BYTES - 1));

	if (!cs_read_user(walk->name, CS_PYTHON_NAME_BLOCK, string))
		return true;
	barrier_var(here);
	if (here > CS_PYTHON_NAME_BLOCK)
		return false;
	return !cs_read_user(walk->name, here, string); /* what is behind was set to 0 */
}

/* Mixes in what a string says: its length and its first CS_PYTHON_NAME_HASHED bytes. */
static __always_inline __u64 cs_python_mix_name(struct cs_python_walk *walk, __u64 hash)
{
	struct cs_python_text text;
	__u32 place = cs_python_place_text(&walk->process.layout,
					   (const struct cs_python_string *)walk->name, &text);
	__s64 left = text.length * text.width;

	hash = cs_python_mix(hash, text.length);
	for (int i = 0; i < CS_PYTHON_NAME_HASHED && left > 0; i += 8, left -= 8) {
		__u64 word = cs_python_u64(walk->name, place + i);

		hash = cs_python_mix(hash, left < 8 ? word & ((1ull << 8 * left) - 1) : word);
	}
	return hash;
}

/* The identity of the code object in walk->code, which lies at addr. */
CS_SUBPROGRAM __u64 cs_python_identify(struct cs_python_walk *walk, __u64 addr)
{
	const struct cs_python_layout *layout;
	__u64 hash, qualname;

	if (!walk)
		return 0;
	layout = &walk->process.layout;
	qualname = cs_python_u64(walk->code, layout->code_qualname);
	hash = cs_python_mix(addr, cs_python_u32(walk->code, layout->code_first_line));
	hash = cs_python_mix(hash, cs_python_u64(walk->code, layout->code_filename));
	hash = cs_python_mix(hash, cs_python_u64(walk->code, layout->code_linetable));
	hash = cs_python_mix(hash, cs_python_u32(walk->code, layout->code_units));
	hash = cs_python_mix(hash, qualname);
	return cs_python_read_name(walk, qualname) ? cs_python_mix_name(walk, hash) : hash;
}

static __always_inline void cs_python_copy_text(const struct cs_python_layout *layout, __u64 string,
						struct cs_python_text *text, __u8 *to, __u32 max)
{
	__u64 from = cs_python_find_text(layout, string, text);
	__u32 bytes = cs_python_text_bytes(text, max);

	barrier_var(bytes);
	if (bytes > max)
		bytes = 0; /* never */
	if (from && cs_read_user(to, bytes, from))
		text->width = 0;
}

static __always_inline void cs_python_copy_lines(struct cs_python_code_record *record, __u64 bytes)
{
	__u64 size = 0;
	__u32 sent;

	record->lines_sent = 0;
	record->lines_bytes = 0;
	record->lines_addr = bytes + CS_PYTHON_BYTES_START;
	if (cs_read_user(&size, sizeof(size), bytes + CS_PYTHON_SIZE) || size >> 31)
		return;
	record->lines_bytes = size;
	sent = size > CS_PYTHON_LINE_BYTES ? CS_PYTHON_LINE_BYTES : size;
	barrier_var(sent);
	if (sent > CS_PYTHON_LINE_BYTES)
		sent = 0; /* never */
	if (!cs_read_user(record->lines, sent, record->lines_addr))
		record->lines_sent = sent;
}

/* Tells user space of the code object in walk->code, which lies at addr. 1: done. */
CS_SUBPROGRAM int cs_python_send_code(struct cs_python_walk *walk, __u64 addr, __u64 code)
{
	const struct cs_python_layout *layout;
	struct cs_python_code_record *record;
	__u32 zero = 0, lines;

	record = bpf_map_lookup_elem(&cs_python_code_scratch, &zero);
	if (!walk || !record)
		return 0;
	layout = &walk->process.layout;
	record->kind = CS_RECORD_PYTHON_CODE;
	record->code = code;
	record->addr = addr;
	record->tgid = walk->tgid;
	record->first_line = cs_python_u32(walk->code, layout->code_first_line);
	cs_python_copy_text(layout, cs_python_u64(walk->code, layout->code_qualname), &record->name,
			    record->name_text, sizeof(record->name_text));
	cs_python_copy_text(layout, cs_python_u64(walk->code, layout->code_filename), &record->file,
			    record->file_text, sizeof(record->file_text));
	cs_python_copy_lines(record, cs_python_u64(walk->code, layout->code_linetable));
	lines = record->lines_sent;
	barrier_var(lines);
	if (lines > CS_PYTHON_LINE_BYTES)
		lines = 0; /* never */
	record->size = offsetof(struct cs_python_code_record, lines) + lines;
	if (!bpf_ringbuf_output(&cs_ring, record,
				offsetof(struct cs_python_code_record, lines) + lines, cs_wakeup()))
		return 1;
	cs_count(&cs_stats, CS_STAT_RING_FULL);
	return 0;
}

/* Tells user space of the code object in walk->code unless it knows. False: it could not be told.
 */
static __always_inline bool cs_python_tell_code(struct cs_python_walk *walk, __u64 addr, __u64 code)
{
	struct cs_python_code_key key = {.code = code, .tgid = walk->tgid, .pad = 0};
	__u8 told = 1;

	if (bpf_map_lookup_elem(&cs_python_codes, &key))
		return true;
	if (!cs_python_send_code(walk, addr, code))
		return false;
	bpf_map_update_elem(&cs_python_codes, &key, &told, BPF_ANY);
	return true;
}

#endif
