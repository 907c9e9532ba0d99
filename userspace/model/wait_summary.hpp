// SPDX-License-Identifier: Apache-2.0
// Sums of the waits of a recording. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "callscope/recording.hpp"

namespace callscope {

struct WaitSums {
  std::uint64_t count = 0;
  std::uint64_t blocked_ns = 0;
  std::uint64_t runq_ns = 0;

  [[nodiscard]] std::uint64_t ns() const { return blocked_ns + runq_ns; }
  void add(const Waits& waits);
};

struct WaitSummary {
  WaitSums all;
  std::size_t threads = 0;  // that waited
};

WaitSummary summarize_waits(const Recording& recording);

}  // namespace callscope
