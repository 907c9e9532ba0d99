/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A part of calls.bpf.c, which defines the maps: the scheduler's events, and the ends of threads
 * and processes. */
#ifndef CALLSCOPE_BPF_CALLS_THREADS_BPF_H
#define CALLSCOPE_BPF_CALLS_THREADS_BPF_H

#include "callscope/abi/process.h"
#include "common/call_tracker.bpf.h"
#include "common/off_cpu.bpf.h"
#include "common/process_events.bpf.h"

static __always_inline struct cs_call_thread *cs_thread_of(struct task_struct *task)
{
	if (!task || !cs_is_target(task->tgid))
		return NULL;
	return bpf_task_storage_get(&cs_call_threads, task, 0, 0);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(cs_switch_calls, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct cs_call_thread *thread;

	if (!cs_enabled)
		return 0;
	thread = cs_thread_of(prev);
	if (thread)
		cs_switched_out(thread, preempt || prev->__state == 0, bpf_ktime_get_ns());
	thread = cs_thread_of(next);
	if (thread)
		cs_switched_in(thread, bpf_ktime_get_ns());
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(cs_wake_calls, struct task_struct *task)
{
	struct cs_call_thread *thread = cs_enabled ? cs_thread_of(task) : NULL;

	if (thread)
		cs_woken(thread, bpf_ktime_get_ns());
	return 0;
}

static __always_inline void cs_end_thread(struct task_struct *task, bool running)
{
	struct cs_call_thread *thread = cs_thread_of(task);

	if (!thread)
		return;
	if (thread->exec_id != task->self_exec_id)
		running = false;
	cs_track_end(thread, bpf_ktime_get_ns(), running ? CS_CALL_RUNNING : CS_CALL_UNWOUND);
}

/* A thread that leaves alone unwinds its calls; when the process ends, they were running. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(cs_exit_calls, struct task_struct *task)
{
	__u32 tgid = task->tgid;

	if (!cs_counting_open)
		cs_end_thread(task, task->signal->flags & CS_SIGNAL_GROUP_EXIT);
	if (!cs_enabled || !cs_is_last_thread(task) || !cs_is_target(tgid))
		return 0;
	bpf_map_delete_elem(&cs_targets, &tgid);
	cs_send_process(&cs_call_ring, &cs_stats, CS_RECORD_EXIT, tgid, 0);
	return 0;
}

/* A child is a target before user space knows of it: what it forks and executes at once must not be
 * missed. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(cs_fork_calls, struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_tgid = parent->tgid, tgid = child->tgid;

	if (!cs_enabled || tgid == parent_tgid || !cs_is_target(parent_tgid))
		return 0;
	if (cs_config.follow_children)
		cs_follow(tgid);
	cs_send_process(&cs_call_ring, &cs_stats, CS_RECORD_FORK, tgid, parent_tgid);
	return 0;
}

/* What is executed now may not bear return probes: they wait until user space has looked. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(cs_exec_calls, struct task_struct *task)
{
	if (!cs_enabled || !cs_is_target(task->tgid))
		return 0;
	cs_hold(task->tgid);
	cs_send_process(&cs_call_ring, &cs_stats, CS_RECORD_EXEC, task->tgid, 0);
	return 0;
}

/* Run once by user space after the probes are gone: calls that are still open. */
SEC("iter/task")
int cs_count_running(struct bpf_iter__task *ctx)
{
	cs_end_thread(ctx->task, true);
	return 0;
}

#endif
