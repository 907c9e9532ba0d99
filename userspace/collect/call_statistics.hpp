// SPDX-License-Identifier: Apache-2.0
// Copies the statistics of the calls BPF program into Recording::functions, call_nodes and
// latency_columns. Pure reading; see abi/calls.h for what follows from what. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "bpf/calls_program.hpp"
#include "callscope/recording.hpp"
#include "collect/function_registry.hpp"

namespace callscope {

class CallStatistics {
 public:
  // Brings the recording up to date. What returned since the last update goes into the column of
  // that second.
  void update(const CallsProgram& program, const FunctionRegistry& registry, std::uint32_t second,
              Recording& recording);

  // Columns beyond what a recording holds: the latencies are in the histograms all the same.
  [[nodiscard]] std::uint64_t columns_dropped() const { return columns_dropped_; }

 private:
  void update_nodes(const CallsProgram& program, const FunctionRegistry& registry,
                    Recording& recording);
  void update_histogram(const CallsProgram& program, std::uint32_t func, std::uint32_t row,
                        std::uint32_t second, Recording& recording);

  void add_to_column(std::uint32_t func, std::uint32_t row, std::uint32_t second,
                     const std::vector<std::pair<std::uint32_t, std::uint64_t>>& news,
                     Recording& recording);

  std::map<std::uint32_t, std::size_t> column_of_;  // the last column of each function
  std::uint64_t columns_dropped_ = 0;
  std::vector<cs_call_stats> sums_;  // of each function, over its nodes
};

}  // namespace callscope
