// SPDX-License-Identifier: Apache-2.0
// Burns CPU in functions that are inlined into each other: a template in a lambda in a method, of
// which only outer_work() has code of its own. What stacks with inlined functions are checked on.
// Runs --ms after the handshake, then prints how often outer_work() was called.
#include <cstdint>

#include "target.h"

namespace inlined_stack {
namespace {

// The lines of this loop are where the samples fall.
template <typename Number>
__attribute__((always_inline)) inline Number burn(Number seed, int turns) {
  for (int i = 0; i < turns; ++i) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    __asm__ volatile("" : "+r"(seed));
  }
  return seed;
}

class Worker {
 public:
  __attribute__((always_inline)) std::uint64_t step(std::uint64_t seed) {
    const auto twice = [this](std::uint64_t value) __attribute__((always_inline)) {
      ++steps_;
      return burn<std::uint64_t>(value, 20'000) ^ burn<std::uint64_t>(value + 1, 20'000);
    };
    return twice(seed);
  }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  std::uint64_t steps_ = 0;
};

}  // namespace

PROBED std::uint64_t outer_work(Worker& worker, std::uint64_t seed) {
  TGT_KEEP_FRAME();
  return worker.step(seed);
}

}  // namespace inlined_stack

int main(int argc, char** argv) {
  const tgt_options options = tgt_parse(&argc, argv);
  const std::uint64_t ms = tgt_number(argc, argv, "--ms", 1000);
  inlined_stack::Worker worker;
  tgt_ready(options);
  std::uint64_t seed = 1;
  for (const std::uint64_t end = tgt_now_ns() + ms * 1'000'000; tgt_now_ns() < end;)
    seed = inlined_stack::outer_work(worker, seed);
  tgt_emit("calls", "outer_work", worker.steps());
  tgt_done(options);
  return seed == 0 ? 1 : 0;
}
