/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The budget of one function, kept where the calls are: a leaky bucket of probe time. When it runs
 * over, only one in 2^shift calls is timed from the next one on, until user space decides for
 * longer. Pure logic, also compiled in user space by tests/unit/probes. */
#ifndef CALLSCOPE_BPF_CALL_BUDGET_BPF_H
#define CALLSCOPE_BPF_CALL_BUDGET_BPF_H

#include "common/call_types.bpf.h"

#define CS_BURST_SHIFT 4 /* each overflow makes timed calls 16 times rarer */

/* Pays for one timed call out of a bucket that holds burst_ns and leaks budget_1024/1024 of the
 * time. True: it ran over, and sampling went up. */
CS_INLINE bool cs_spend(struct cs_func_ctl *ctl, struct cs_func_load *load, __u32 budget_1024,
			__u32 burst_ns, __u64 now_ns)
{
	__u64 leaked_ns = (now_ns - load->last_ns) * budget_1024 >> 10;

	load->spent_ns =
	    (load->spent_ns > leaked_ns ? load->spent_ns - leaked_ns : 0) + ctl->cost_ns;
	load->last_ns = now_ns;
	if (load->spent_ns <= burst_ns)
		return false;
	load->spent_ns = 0;
	if (ctl->sample_shift > CS_MAX_SHIFT - CS_BURST_SHIFT)
		return false;
	ctl->sample_shift += CS_BURST_SHIFT;
	return true;
}

#endif
