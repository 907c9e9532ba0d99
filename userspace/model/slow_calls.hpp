// SPDX-License-Identifier: Apache-2.0
// The slow calls that were logged: the slowest first, and what they add up to. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "callscope/recording.hpp"

namespace callscope {

// Pointers into recording, by duration from high to low; equal ones by time.
std::vector<const SlowCall*> slowest_calls(const Recording& recording);

struct SlowFunction {
  std::uint32_t function = 0;  // index into Recording::functions
  std::uint64_t calls = 0;
  std::uint64_t sum_ns = 0;
  std::uint64_t max_ns = 0;
  std::uint64_t blocked_ns = 0;
  std::uint64_t runq_ns = 0;
};

// By sum from high to low.
std::vector<SlowFunction> slow_functions(const Recording& recording);

}  // namespace callscope
