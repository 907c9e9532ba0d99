// SPDX-License-Identifier: Apache-2.0
// A function that ends in a tail call (a real jump) of another one, which does all the work. Who
// probes the first alone must still see the time of both. Truth: calls and the mean duration.
#include "target.h"

enum { kCalls = 50 };
static uint64_t spent_ns;

PROBED void tail_callee(uint64_t duration_ns) {
  const uint64_t start = tgt_now_ns();
  tgt_spin_ns(duration_ns);
  spent_ns += tgt_now_ns() - start;
}

PROBED void tail_caller(uint64_t duration_ns) { tail_callee(duration_ns + 1); }

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  tgt_ready(options);
  for (int i = 0; i < kCalls; ++i) tail_caller(1000000);
  tgt_emit("calls", "tail_caller", kCalls);
  tgt_emit("rets", "tail_caller", kCalls);
  tgt_emit("mean_ns", "tail_caller", spent_ns / kCalls);
  tgt_done(options);
  return 0;
}
