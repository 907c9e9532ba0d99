// SPDX-License-Identifier: Apache-2.0
// The process calls exit(0) two probed calls deep, after a known number of calls that returned.
// Truth: "running" = calls that are open at the end. The truth is printed before the exit.
#include "target.h"

static uint64_t outer_calls, inner_calls, outer_rets, inner_rets;
static struct tgt_options options;

static void finish(void) {
  tgt_emit("calls", "exit_outer", outer_calls);
  tgt_emit("rets", "exit_outer", outer_rets);
  tgt_emit("running", "exit_outer", outer_calls - outer_rets);
  tgt_emit("calls", "exit_inner", inner_calls);
  tgt_emit("rets", "exit_inner", inner_rets);
  tgt_emit("running", "exit_inner", inner_calls - inner_rets);
  tgt_done(options);
  exit(0);
}

PROBED int exit_inner(int leave) {
  ++inner_calls;
  if (leave) finish();
  ++inner_rets;
  return 1;
}

PROBED int exit_outer(int leave) {
  ++outer_calls;
  const int result = exit_inner(leave);
  ++outer_rets;
  return result + 1;
}

int main(int argc, char** argv) {
  options = tgt_parse(&argc, argv);
  const uint64_t calls = tgt_number(argc, argv, "--calls", 10);
  tgt_ready(options);
  for (uint64_t i = 0; i < calls; ++i) exit_outer(0);
  exit_outer(1);
  return 1;
}
