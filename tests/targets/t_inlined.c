// SPDX-License-Identifier: Apache-2.0
// Functions that are inlined at 0, 1 and 3 places and one that is cloned, each called a known
// number of times: what a probe on a name can see of that, and what it cannot. Variants have their
// debug information in a file of its own, or none.
#include "target.h"

#define INLINED __attribute__((always_inline)) static inline

static uint64_t thrice_calls, once_calls, also_calls, never_calls, cloned_calls;

INLINED uint64_t inl_thrice(uint64_t value) {
  ++thrice_calls;
  __asm__ volatile("" : "+r"(value));
  return value * 3;
}

INLINED uint64_t inl_once(uint64_t value) {
  ++once_calls;
  return inl_thrice(value) + 1;
}

// Has code of its own, for the pointer, and one inlined copy.
INLINED uint64_t inl_also(uint64_t value) {
  ++also_calls;
  __asm__ volatile("" : "+r"(value));
  return value + 7;
}
static uint64_t (*volatile also_pointer)(uint64_t) = inl_also;

PROBED uint64_t inl_never(uint64_t value) {
  ++never_calls;
  return value + 1;
}

// Always called with the same mode: gcc makes cloned.constprop.0 of it and drops cloned.
__attribute__((noinline)) static uint64_t cloned(uint64_t value, int mode) {
  ++cloned_calls;
  __asm__ volatile("" : "+r"(value));
  return mode == 3 ? value + 1 : value * value;
}

PROBED uint64_t inl_caller_a(uint64_t value) { return inl_once(value) + inl_also(value); }
PROBED uint64_t inl_caller_b(uint64_t value) { return inl_thrice(value) + inl_thrice(value + 1); }

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t rounds = tgt_number(argc, argv, "--rounds", 100);
  uint64_t sum = 0;
  tgt_ready(options);
  for (uint64_t i = 0; i < rounds; ++i) {
    sum += inl_caller_a(i) + inl_caller_b(i) + inl_never(i);
    sum += also_pointer(i) + cloned(i, 3) + cloned(i + 1, 3);
  }
  tgt_require(sum > 0, "nothing was computed");
  tgt_emit("calls", "inl_caller_a", rounds);
  tgt_emit("calls", "inl_caller_b", rounds);
  tgt_emit("calls", "inl_never", never_calls);
  tgt_emit("calls", "cloned", cloned_calls);
  tgt_emit("calls_everywhere", "inl_thrice", thrice_calls);
  tgt_emit("calls_everywhere", "inl_once", once_calls);
  tgt_emit("calls_everywhere", "inl_also", also_calls);
  tgt_emit("calls_of_code", "inl_also", also_calls - rounds);
  tgt_done(options);
  return 0;
}
