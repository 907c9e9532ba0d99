// SPDX-License-Identifier: Apache-2.0
// t_hot --calls N: a function that is called some million times a second, for tools that promise to
// bound what they cost. hot_step does about 200 ns of work; every 10,000th turn also calls
// cold_step, which knows its own time, and cold_jump, which ends in a tail call of hot_step. Each
// byte on stdin runs one window of N turns, pure work whose time is always the same, and prints
// "ns_per_call X"; EOF ends. With --windows N it runs N windows without asking.
#include "target.h"

enum { kTurnsPerCold = 10000 };

static uint64_t hot_calls, cold_calls, cold_ns, jump_calls;
static uint64_t state = 1;

// A chain of multiplications, each of which waits for the one before.
static inline uint64_t work(uint64_t value, int steps) {
  for (int i = 0; i < steps; ++i) {
    value = value * 6364136223846793005u + 1442695040888963407u;
    __asm__ volatile("" : "+r"(value));
  }
  return value;
}

PROBED uint64_t hot_step(uint64_t value) {
  TGT_KEEP_FRAME();
  ++hot_calls;
  return work(value, 150);
}

PROBED uint64_t cold_step(uint64_t value) {
  TGT_KEEP_FRAME();
  ++cold_calls;
  const uint64_t start = tgt_now_ns();
  const uint64_t result = work(value, 10000);
  cold_ns += tgt_now_ns() - start;
  return result;
}

PROBED uint64_t cold_jump(uint64_t value) {
  ++jump_calls;
  return hot_step(value + 1);
}

static void run_window(uint64_t calls) {
  const uint64_t start = tgt_now_ns();
  for (uint64_t i = 0; i < calls; ++i) {
    state = hot_step(state);
    if (i % kTurnsPerCold == 0) state = cold_jump(cold_step(state));
  }
  printf("ns_per_call %.2f\n", (double)(tgt_now_ns() - start) / (double)calls);
  fflush(stdout);
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t windows = tgt_number(argc, argv, "--windows", 0);
  const uint64_t calls = tgt_number(argc, argv, "--calls", 500000);
  tgt_require(calls > 0, "--calls must be a positive number");
  tgt_ready(options);
  uint64_t done = 0;
  char byte;
  while (windows > 0 ? done < windows : read(STDIN_FILENO, &byte, 1) > 0) {
    run_window(calls);
    ++done;
  }
  tgt_emit("calls", "hot_step", hot_calls);
  tgt_emit("calls", "cold_step", cold_calls);
  tgt_emit("calls", "cold_jump", jump_calls);
  tgt_emit("sum_ns", "cold_step", cold_ns);
  tgt_done(options);
  return 0;
}
