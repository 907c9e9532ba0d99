// SPDX-License-Identifier: Apache-2.0
// longjmp over 1, 5 and 63 probed frames. Every round calls jump_top once for each depth; odd
// rounds return normally, even rounds jump from the innermost frame back into jump_top, which then
// returns. Truth: "calls" = entries, "rets" = normal returns, "unwound" = entries that never
// returned.
#include <setjmp.h>

#include "target.h"

static uint64_t top_calls, frame_calls, frame_rets;
static jmp_buf back;

PROBED int jump_frame(int depth, int jump) {
  ++frame_calls;
  int below = 0;
  if (depth > 1) {
    below = jump_frame(depth - 1, jump);
  } else if (jump) {
    longjmp(back, 1);
  }
  ++frame_rets;
  return below + 1;
}

PROBED int jump_top(int depth, int jump) {
  ++top_calls;
  if (setjmp(back) != 0) return -1;
  return jump_frame(depth, jump);
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t rounds = tgt_number(argc, argv, "--rounds", 100);
  const uint64_t only = tgt_number(argc, argv, "--depth", 0);
  const int all_depths[] = {1, 5, 63};
  const int only_depth = (int)only;
  const int* depths = only ? &only_depth : all_depths;
  const int depth_count = only ? 1 : 3;

  tgt_ready(options);
  for (uint64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < depth_count; ++i) {
      const int jump = round % 2 == 0;
      const int result = jump_top(depths[i], jump);
      tgt_require(result == (jump ? -1 : depths[i]), "a jump ended in the wrong place");
    }
  }
  tgt_emit("calls", "jump_top", top_calls);
  tgt_emit("rets", "jump_top", top_calls);
  tgt_emit("calls", "jump_frame", frame_calls);
  tgt_emit("rets", "jump_frame", frame_rets);
  tgt_emit("unwound", "jump_frame", frame_calls - frame_rets);
  tgt_done(options);
  return 0;
}
