/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A part of calls.bpf.c, which defines the maps: arguments and callers of calls that took longer
 * than their threshold. Cheap until a call is slow: its callers are walked when it ends. */
#ifndef CALLSCOPE_BPF_CALLS_SLOW_BPF_H
#define CALLSCOPE_BPF_CALLS_SLOW_BPF_H

#include "callscope/abi/call_records.h"
#include "common/call_tracker.bpf.h"

static __always_inline void cs_keep_arguments(struct task_struct *task, const struct pt_regs *ctx,
					      __u32 index)
{
	struct cs_call_args *all, *args;

	all = bpf_task_storage_get(&cs_call_arguments, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!all)
		return; /* the thread's state was made with the same memory: shown as zeroes */
	args = &all[index & (CS_CALL_DEPTH - 1)];
	args->value[0] = ctx->di;
	args->value[1] = ctx->si;
	args->value[2] = ctx->dx;
	args->value[3] = ctx->cx;
	args->value[4] = ctx->r8;
	args->value[5] = ctx->r9;
}

/* The callers of the function that is being left: a return probe is told when it has returned, any
 * other stands on its last instruction, from which this steps to the caller first. */
static __always_inline void cs_walk_callers(struct pt_regs *ctx, struct task_struct *task,
					    struct cs_slow_record *record, struct cs_unwind *walk,
					    __u64 caller)
{
	struct cs_user_frames *frames = (struct cs_user_frames *)record->frames;
	int walked, end;

	cs_set_registers(walk, ctx);
	end = cs_begin_walk(task, walk);
	if (!end && walk->pc != caller) {
		end = cs_enter_frame(walk);
		if (!end)
			end = cs_go_to_caller(walk);
	}
	if (end) {
		record->frames[0] = caller;
		record->n_frames = 1;
		record->end = end;
		record->left_out = 0;
		return;
	}
	walk->exact = 0;
	walked = cs_unwind_frames(walk, frames);
	record->n_frames = (__u32)walked >> 8;
	record->end = walked & 0xff;
	record->left_out = walk->left_out;
}

static __always_inline void cs_fill_slow(struct pt_regs *ctx, struct task_struct *task,
					 struct cs_call_thread *thread,
					 struct cs_slow_scratch *scratch, __u64 caller)
{
	struct cs_slow_record *record = &scratch->record;
	__u32 index = thread->slow_depth & (CS_CALL_DEPTH - 1);
	struct cs_call_frame *frame = &thread->frames[index];
	struct cs_call_args *args = bpf_task_storage_get(&cs_call_arguments, task, 0, 0);
	__u64 size;

	cs_walk_callers(ctx, task, record, &scratch->walk, caller);
	size = record->n_frames;
	barrier_var(size); /* bounded in the register that is used */
	if (size > CS_USER_FRAMES)
		return; /* never */
	size = offsetof(struct cs_slow_record, frames) + size * sizeof(__u64);
	record->kind = CS_CALL_RECORD_SLOW;
	record->size = size;
	record->tgid = task->tgid;
	record->tid = task->pid;
	record->func = frame->func;
	record->enter_ns = frame->enter_ns;
	record->duration_ns = thread->slow_end_ns - frame->enter_ns;
	record->blocked_ns = thread->blocked_ns - frame->blocked_ns;
	record->runq_ns = thread->runq_ns - frame->runq_ns;
	if (args)
		__builtin_memcpy(record->args, &args[index], sizeof(record->args));
	if (bpf_ringbuf_output(&cs_call_ring, record, size, 0))
		cs_count(&cs_stats, CS_STAT_SLOW_LOST);
}

/* A probe of another thread may preempt this one on its CPU, and find the scratch taken. */
static __always_inline void cs_send_slow(struct pt_regs *ctx, struct task_struct *task,
					 struct cs_call_thread *thread, __u64 caller)
{
	__u32 zero = 0;
	struct cs_slow_scratch *scratch = bpf_map_lookup_elem(&cs_slow_scratches, &zero);

	thread->slow_pending = 0;
	if (!scratch || __sync_lock_test_and_set(&scratch->taken, 1)) {
		cs_count(&cs_stats, CS_STAT_SLOW_LOST);
		return;
	}
	cs_fill_slow(ctx, task, thread, scratch, caller);
	scratch->taken = 0;
}

#endif
