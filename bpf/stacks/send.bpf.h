/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Sends stacks to user space, which is sent each once. */
#ifndef CALLSCOPE_BPF_STACKS_SEND_BPF_H
#define CALLSCOPE_BPF_STACKS_SEND_BPF_H

#include "common/stats.bpf.h"
#include "common/unwind.bpf.h"
#include "stacks/maps.bpf.h"

/* Stacks wait until user space looks, ten times a second: to wake it for each would cost more than
 * the sample. Not so long that the ring becomes full. */
static __always_inline __u64 cs_wakeup(void)
{
	__u64 waiting = bpf_ringbuf_query(&cs_ring, BPF_RB_AVAIL_DATA);

	return waiting > bpf_ringbuf_query(&cs_ring, BPF_RB_RING_SIZE) / 4 ? BPF_RB_FORCE_WAKEUP
									   : BPF_RB_NO_WAKEUP;
}

static __always_inline void cs_report_missed_code(struct cs_unwind *walk, __u32 tgid)
{
	struct cs_missed_record record = {
	    .kind = CS_RECORD_MISSED,
	    .size = sizeof(record),
	    .tgid = tgid,
	    .addr = walk->missed,
	};

	if (walk->missed == 0 || !cs_report_missed(tgid, bpf_ktime_get_ns()))
		return;
	if (bpf_ringbuf_output(&cs_ring, &record, sizeof(record), BPF_RB_FORCE_WAKEUP))
		cs_count(&cs_stats, CS_STAT_EVENT_LOST);
}

/* The Python half goes first: user space waits for none. */
static __always_inline bool cs_send_python(const struct cs_stack_key *key,
					   const struct cs_python_walk *walk,
					   struct cs_python_stack_record *record)
{
	__u32 n_frames = record->n_frames;

	if (walk->unsent || n_frames > CS_PYTHON_FRAMES)
		return false;
	record->kind = CS_RECORD_PYTHON_STACK;
	record->size = offsetof(struct cs_python_stack_record, frames) +
		       n_frames * sizeof(struct cs_python_frame);
	record->key = *key;
	barrier_var(n_frames);
	if (n_frames > CS_PYTHON_FRAMES)
		return false; /* never */
	if (bpf_ringbuf_output(&cs_ring, record,
			       offsetof(struct cs_python_stack_record, frames) +
				   n_frames * sizeof(struct cs_python_frame),
			       cs_wakeup()) == 0)
		return true;
	cs_count(&cs_stats, CS_STAT_RING_FULL);
	return false;
}

/* The kind is set. */
static __always_inline bool cs_send_stack(struct cs_stack_record *record)
{
	__u64 n_frames = record->n_kernel + record->n_user;
	__u64 size;

	if (n_frames > CS_USER_FRAMES + CS_KERNEL_FRAMES)
		return false; /* never */
	size = offsetof(struct cs_stack_record, frames) + n_frames * sizeof(__u64);
	record->size = size;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	if (bpf_ringbuf_output(&cs_ring, record, size, cs_wakeup()) == 0)
		return true;
	cs_count(&cs_stats, CS_STAT_RING_FULL);
	return false;
}

#endif
