/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* From a walked stack to what is counted: its kernel half, its Python half, its key. */
#ifndef CALLSCOPE_BPF_STACKS_TAKE_BPF_H
#define CALLSCOPE_BPF_STACKS_TAKE_BPF_H

#include "python/stack.bpf.h"
#include "stacks/send.bpf.h"

/* 64-bit hash over all frames of the record and those that python is the hash of; two stacks
 * collide with a chance of 2^-64. */
static __always_inline __u64 cs_hash_stack(const struct cs_stack_record *record, __u64 python)
{
	__u64 hash = 0x9e3779b97f4a7c15ull ^ record->n_kernel ^ (__u64)record->end << 32 ^
		     (__u64)record->left_out << 40 ^ python;
	__u32 n_frames = record->n_kernel + record->n_user;

	for (__u32 i = 0; i < CS_USER_FRAMES + CS_KERNEL_FRAMES; i++) {
		if (i >= n_frames)
			break;
		hash = (hash ^ record->frames[i]) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 32;
	}
	return hash;
}

/* What a walk found: the number of frames << 8 | enum cs_stack_end. */
static __always_inline void cs_set_user_half(struct cs_stack_record *record,
					     const struct cs_unwind *walk, int walked)
{
	__u32 n_user = (__u32)walked >> 8;

	record->end = walked & 0xff;
	record->left_out = walk->left_out;
	barrier_var(n_user); /* bounded in the register that is used */
	if (n_user > CS_USER_FRAMES)
		n_user = 0; /* never */
	record->n_user = n_user;
	record->n_kernel = 0;
	record->kernel_cut = 0;
}

/* Behind the user half. In a tracepoint the innermost frames are those that run our program. */
static __always_inline void cs_add_kernel_half(void *ctx, struct cs_stack_record *record)
{
	__u32 n_user = record->n_user;
	long bytes;

	barrier_var(n_user);
	if (n_user > CS_USER_FRAMES)
		return; /* never */
	bytes = bpf_get_stack(ctx, &record->frames[n_user], CS_KERNEL_FRAMES * sizeof(__u64), 0);
	record->n_kernel = bytes < 0 ? 0 : bytes / sizeof(__u64);
	record->kernel_cut = record->n_kernel >= CS_KERNEL_FRAMES;
}

/* The Python half of a stack. record NULL: it has none. */
struct cs_python_half {
	struct cs_python_walk *walk;
	struct cs_python_stack_record *record;
};

static __always_inline void cs_take_python(void *interrupted, struct cs_unwind *registers,
					   struct cs_stack_record *stack,
					   struct cs_python_half *half)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, zero = 0;
	const struct cs_python_process *process;
	struct cs_python_stack_record *record;
	struct cs_python_walk *walk;

	process = bpf_map_lookup_elem(&cs_python_processes, &tgid);
	record = bpf_map_lookup_elem(&cs_python_scratch, &zero);
	walk = bpf_map_lookup_elem(&cs_python_walks, &zero);
	if (!process || !record || !walk)
		return;
	walk->process = *process;
	if (!cs_python_walk_stack(interrupted, registers, stack, walk, record))
		return;
	half->walk = walk;
	half->record = record;
}

/* Completes a record that has both its halves by its key, which Python is a part of. interrupted:
 * context of a sampling event, or NULL. */
static __always_inline void cs_identify_stack(void *interrupted, struct cs_unwind *walk,
					      struct cs_stack_record *record, bool with_python,
					      struct cs_python_half *python)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	cs_report_missed_code(walk, pid_tgid >> 32);
	if (with_python)
		cs_take_python(interrupted, walk, record, python);
	record->key.hash = cs_hash_stack(record, python->record ? python->walk->hash : 0);
	record->key.tgid = pid_tgid >> 32;
	record->key.tid = (__u32)pid_tgid;
}

/* Objects whose events may come at any rate: walks take at most this part of each CPU, and bursts.
 * What is beyond it is counted in a stack that is not known. */
#define CS_EVENT_PART	  20
#define CS_EVENT_BURST_NS 5000000

/* Walks the user half of such an event's stack. False: it is beyond the budget and counted by
 * not_walked, enum cs_stat. Else the walk is to be charged. The offcpu object has no stack for more
 * than this: on 6.1 its 320 bytes and the walker's subprograms just fill the 512. */
static __always_inline bool cs_walk_event(void *interrupted, struct cs_unwind *walk,
					  struct cs_stack_record *record, __u64 now_ns,
					  __u32 not_walked)
{
	bool may_walk = cs_may_walk(walk, now_ns, CS_EVENT_PART, CS_EVENT_BURST_NS);
	int walked = CS_STACK_NO_USER;

	if (may_walk) {
		walked = cs_walk_current(interrupted, walk, (struct cs_user_frames *)record->frames,
					 CS_USER_FRAMES);
	} else {
		cs_begin_no_walk(walk);
		cs_count(&cs_stats, not_walked);
	}
	cs_set_user_half(record, walk, walked);
	return may_walk;
}

/* False: to be sent again another time. */
static __always_inline bool cs_send_taken(struct cs_stack_record *record,
					  const struct cs_python_half *python)
{
	if (python->record && !cs_send_python(&record->key, python->walk, python->record))
		return false;
	return cs_send_stack(record);
}

#endif
