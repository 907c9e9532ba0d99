// SPDX-License-Identifier: Apache-2.0
// Which thread spent how much time in which probed function. Needs a call tree that was kept by
// thread. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "callscope/recording.hpp"
#include "model/call_tree.hpp"

namespace callscope {

struct ThreadFunction {
  std::uint32_t function = 0;  // index into Recording::functions
  CallSums sums;
};

struct ThreadRow {
  std::int32_t tid = 0;
  std::uint64_t samples = 0;              // on CPU
  std::uint64_t in_calls_ns = 0;          // in probed functions: sum of self times
  std::vector<ThreadFunction> functions;  // by total, then self, from high to low
};

// Threads with probed calls, by the time in them from high to low. Empty unless calls_by_thread.
std::vector<ThreadRow> thread_table(const Recording& recording);

}  // namespace callscope
