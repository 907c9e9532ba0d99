/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Off-CPU time: asleep, and ready but without a CPU; of a thread while probed calls are open. Pure
 * logic over the thread's state, also compiled in user space by tests/unit/probes. The scheduler's
 * events come one after the other for one thread; a wake-up may come from another CPU. */
#ifndef CALLSCOPE_BPF_OFF_CPU_BPF_H
#define CALLSCOPE_BPF_OFF_CPU_BPF_H

#include "callscope/abi/off_cpu.h"
#include "common/call_types.bpf.h"

/* The thread leaves its CPU. preempted: it could have gone on. */
CS_INLINE void cs_switched_out(struct cs_call_thread *thread, bool preempted, __u64 now_ns)
{
	if (thread->depth == 0)
		return;
	thread->preempted = preempted;
	thread->off_ns = now_ns;
}

CS_INLINE void cs_woken(struct cs_call_thread *thread, __u64 now_ns)
{
	thread->wake_ns = now_ns;
}

/* It has a CPU again. */
CS_INLINE void cs_switched_in(struct cs_call_thread *thread, __u64 now_ns)
{
	struct cs_off_cpu_time time;
	__u64 off_ns = thread->off_ns;

	thread->off_ns = 0;
	if (off_ns == 0 || now_ns < off_ns)
		return;
	time = cs_split_off_cpu(off_ns, thread->wake_ns, thread->preempted, now_ns);
	thread->blocked_ns += time.blocked_ns;
	thread->runq_ns += time.runq_ns;
}

#endif
