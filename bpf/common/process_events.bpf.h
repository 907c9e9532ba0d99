/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Sends the life of target processes to user space. The caller decides who is a target; a record
 * that the ring has no room for is counted in its cs_stats map. */
#ifndef CALLSCOPE_BPF_PROCESS_EVENTS_BPF_H
#define CALLSCOPE_BPF_PROCESS_EVENTS_BPF_H

#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>

#include "callscope/abi/process.h"
#include "callscope/abi/stats.h"
#include "common/stats.bpf.h"

static __always_inline void cs_send_process(void *ring, void *stats_map, __u32 kind, __u32 tgid,
					    __u32 parent_tgid)
{
	struct cs_process_record record = {
	    .kind = kind,
	    .size = sizeof(record),
	    .tgid = tgid,
	    .parent_tgid = parent_tgid,
	};

	if (bpf_ringbuf_output(ring, &record, sizeof(record), BPF_RB_FORCE_WAKEUP))
		cs_count(stats_map, CS_STAT_EVENT_LOST);
}

/* In sched_process_exit: no other thread of the process is left. */
static __always_inline bool cs_is_last_thread(struct task_struct *task)
{
	return task->signal->live.counter == 0;
}

#endif
