// SPDX-License-Identifier: Apache-2.0
// CPU samples of probed functions: how long a function ran that nobody timed. An estimate: one
// sample stands for one sampling period, and time off the CPU is not in it. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "callscope/recording.hpp"

namespace callscope {

struct SampledTime {
  std::uint64_t total = 0;  // samples with the function anywhere on the stack, recursion once
  std::uint64_t self = 0;   // samples in which no probed function lies deeper, as self_ns means it
};

// One for each function of the recording. A frame is a function's when it lies in its module within
// [addr, addr + size_bytes).
std::vector<SampledTime> sampled_times(const Recording& recording);

// The time that samples stand for; nothing when sampling was off.
std::optional<std::uint64_t> samples_ns(const Recording& recording, std::uint64_t samples);

}  // namespace callscope
