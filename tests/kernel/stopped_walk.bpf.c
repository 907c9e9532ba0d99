/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* For tests: walks the stack of one process whenever a signal is delivered to it, in its context
 * and before anything of it has changed. So a tracer has the walk made at any instruction that it
 * has stopped the process at, by letting go on with a signal that is ignored. */
#include "common/kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "common/unwind.bpf.h"
#include "stopped_walk.h"

char LICENSE[] SEC("license") = "GPL";

/* The process; set before load. */
const volatile __u32 cs_walked_tgid;

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct cs_stopped_walk);
} cs_last_walk SEC(".maps");

/* The walk under way. The process has one thread. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct cs_unwind);
} cs_walks SEC(".maps");

SEC("tp_btf/signal_deliver")
int BPF_PROG(cs_walk_at_signal, int sig) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct cs_stopped_walk* last;
  struct cs_unwind* walk;
  struct pt_regs regs;
  __u32 zero = 0;
  int walked;

  if ((__u32)task->tgid != cs_walked_tgid) return 0;
  last = bpf_map_lookup_elem(&cs_last_walk, &zero);
  walk = bpf_map_lookup_elem(&cs_walks, &zero);
  if (!last || !walk) return 0;
  if (bpf_probe_read_kernel(&regs, sizeof(regs), (void*)bpf_task_pt_regs(task))) return 0;
  cs_set_registers(walk, &regs);
  walked = cs_begin_walk(task, walk);
  if (!walked) walked = cs_unwind_frames(walk, (struct cs_user_frames*)last->addr);
  last->frames = walked >> 8;
  last->end = walked & 0xff;
  last->walks++;
  return 0;
}
