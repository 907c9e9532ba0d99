/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Where memory grows: page faults of the target processes, counted by the stack that touched what
 * was not there yet. Targets and records are those of the cpu object, which is loaded first. */
#include "common/kernel_types.bpf.h"
#include <bpf/bpf_helpers.h>

#include "callscope/abi/memory.h"
#include "stacks/count.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct cs_memory_config cs_config;

/* User space sets it when all is attached and clears it to stop. */
volatile __u32 cs_enabled;

/* Page faults by stack and thread, read by user space. The size is set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct cs_stack_key);
	__type(value, struct cs_stack_count);
} cs_fault_counts SEC(".maps");

static __always_inline void cs_count_fault(void *ctx, struct cs_unwind *walk,
					   struct cs_stack_record *record)
{
	struct cs_python_half python = {};
	bool walked =
	    cs_walk_event(ctx, walk, record, bpf_ktime_get_ns(), CS_STAT_FAULT_NOT_WALKED);

	if (walked && !cs_interrupted_user(ctx))
		cs_add_kernel_half(ctx, record);
	cs_identify_stack(ctx, walk, record, cs_config.python && walked, &python);
	record->kind = CS_RECORD_FAULT_STACK;
	if (!cs_count_stack(&cs_fault_counts, record, &python))
		cs_count(&cs_stats, CS_STAT_FAULT_LOST);
	if (walked)
		cs_charge_walk(walk, bpf_ktime_get_ns());
}

/* A perf event, before the fault is served. While it runs no sample is taken on its CPU:
 * bpf_prog_active in the kernel lets no second perf event in. */
SEC("perf_event")
int cs_fault_memory(void *ctx)
{
	struct cs_stack_record *record;
	struct cs_unwind *walk;
	__u32 zero = 0;

	if (!cs_enabled || !cs_in_targets(bpf_get_current_pid_tgid() >> 32))
		return 0;
	cs_count(&cs_stats, CS_STAT_FAULTS);
	record = bpf_map_lookup_elem(&cs_scratch, &zero);
	walk = bpf_map_lookup_elem(&cs_walks, &zero);
	if (record && walk)
		cs_count_fault(ctx, walk, record);
	return 0;
}
