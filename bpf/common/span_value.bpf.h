/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Reads an integer from where struct cs_value says: a register, user memory, a constant. */
#ifndef CALLSCOPE_BPF_SPAN_VALUE_BPF_H
#define CALLSCOPE_BPF_SPAN_VALUE_BPF_H

#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>

#include "callscope/abi/spans.h"

/* 0, or -1 for a register that there is not. */
static __always_inline int cs_register(struct pt_regs *ctx, __u16 offset, __u64 *value)
{
	*value = 0;
	if (offset == CS_NO_REGISTER)
		return 0;
	if (offset > sizeof(struct pt_regs) - sizeof(__u64))
		return -1;
	return bpf_probe_read_kernel(value, sizeof(*value), (void *)ctx + offset);
}

/* The low bytes of a value, extended to 64 bits by its sign if it has one. */
static __always_inline __u64 cs_extend(__u64 value, __s8 size)
{
	__u32 bytes = size < 0 ? -size : size;
	__u32 shift = (64 - 8 * bytes) & 63;

	value <<= shift;
	return size < 0 ? (__u64)((__s64)value >> shift) : value >> shift;
}

/* Into the low bytes of the word, which must be 0. A size that is a variable would be refused by
 * verifiers up to 6.12, which forget its bounds. */
static __always_inline int cs_read_word(__u64 *word, __u64 addr, __s8 size)
{
	switch (size < 0 ? -size : size) {
	case 1:
		return bpf_probe_read_user(word, 1, (void *)addr);
	case 2:
		return bpf_probe_read_user(word, 2, (void *)addr);
	case 4:
		return bpf_probe_read_user(word, 4, (void *)addr);
	case 8:
		return bpf_probe_read_user(word, 8, (void *)addr);
	}
	return -1;
}

static __always_inline int cs_read_value(struct pt_regs *ctx, const struct cs_value *from,
					 __u64 *value)
{
	__u64 base, index, word = 0;

	if (from->kind == CS_VALUE_CONSTANT) {
		*value = from->offset;
		return 0;
	}
	if (cs_register(ctx, from->base, &base))
		return -1;
	if (from->kind == CS_VALUE_REGISTER) {
		*value = cs_extend(base, from->size);
		return 0;
	}
	if (cs_register(ctx, from->index, &index))
		return -1;
	base += index * from->scale + from->offset;
	if (cs_read_word(&word, base, from->size))
		return -1;
	*value = cs_extend(word, from->size);
	return 0;
}

#endif
