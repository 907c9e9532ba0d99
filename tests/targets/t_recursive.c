// SPDX-License-Identifier: Apache-2.0
// Recursion around the kernel's limit of 64 pending return probes, mutual recursion, and mutual
// tail calls that are real jumps (the program checks that the stack does not grow). Truth: "calls"
// = entries, "rets" = executed return instructions that end a call of that function.
#include "target.h"

static uint64_t recurse_calls, even_calls, odd_calls, tail_even_calls, tail_odd_calls;
static uintptr_t lowest_sp, highest_sp;

static inline uintptr_t stack_pointer(void) {
  uintptr_t sp;
  __asm__ volatile("mov %%rsp, %0" : "=r"(sp));
  return sp;
}

PROBED uint64_t recurse(uint64_t depth) {
  ++recurse_calls;
  if (depth <= 1) return 1;
  uint64_t below = recurse(depth - 1);
  __asm__ volatile("" : "+r"(below));  // else the compiler makes a loop of it
  return below + 1;
}

uint64_t mutual_odd(uint64_t n);

PROBED uint64_t mutual_even(uint64_t n) {
  ++even_calls;
  if (n == 0) return 0;
  return mutual_odd(n - 1) + 1;
}

PROBED uint64_t mutual_odd(uint64_t n) {
  ++odd_calls;
  if (n == 0) return 0;
  return mutual_even(n - 1) + 1;
}

static inline void note_stack(void) {
  const uintptr_t sp = stack_pointer();
  if (sp < lowest_sp) lowest_sp = sp;
  if (sp > highest_sp) highest_sp = sp;
}

uint64_t tail_odd(uint64_t n);

PROBED uint64_t tail_even(uint64_t n) {
  ++tail_even_calls;
  note_stack();
  if (n == 0) return 0;
  return tail_odd(n - 1);
}

PROBED uint64_t tail_odd(uint64_t n) {
  ++tail_odd_calls;
  note_stack();
  if (n == 0) return 1;
  return tail_even(n - 1);
}

static void run_tail_calls(uint64_t count) {
  lowest_sp = UINTPTR_MAX;
  highest_sp = 0;
  if (count == 0) return;
  tgt_require(tail_even(count - 1) == (count - 1) % 2, "tail calls returned a wrong value");
  tgt_require(highest_sp - lowest_sp < 64, "the tail calls are not jumps: the stack grew");
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t only = tgt_number(argc, argv, "--depth", 0);
  const uint64_t rounds = tgt_number(argc, argv, "--rounds", 10);
  const uint64_t tails = tgt_number(argc, argv, "--tails", 100000);
  const uint64_t mutual = tgt_number(argc, argv, "--mutual", 40);
  const uint64_t all_depths[] = {10, 63, 64, 65, 1000};
  const uint64_t* depths = only ? &only : all_depths;
  const int depth_count = only ? 1 : 5;

  tgt_ready(options);
  for (uint64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < depth_count; ++i) {
      tgt_require(recurse(depths[i]) == depths[i], "recursion returned a wrong depth");
    }
    if (mutual > 0) tgt_require(mutual_even(mutual) == mutual, "mutual recursion went wrong");
  }
  run_tail_calls(tails);

  tgt_emit("calls", "recurse", recurse_calls);
  tgt_emit("rets", "recurse", recurse_calls);
  tgt_emit("calls", "mutual_even", even_calls);
  tgt_emit("calls", "mutual_odd", odd_calls);
  tgt_emit("calls", "tail_even", tail_even_calls);
  tgt_emit("calls", "tail_odd", tail_odd_calls);
  tgt_emit("rets", "tail_even", tails > 0 && tails % 2 == 1);
  tgt_emit("rets", "tail_odd", tails > 0 && tails % 2 == 0);
  tgt_done(options);
  return 0;
}
