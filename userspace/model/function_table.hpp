// SPDX-License-Identifier: Apache-2.0
// The function table: one row for each probed function with what follows from its counts, sorted
// by one column. Rows point into the Recording, which must outlive them. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "callscope/recording.hpp"

namespace callscope {

// Where a time went. The parts add up to it, unless the whole is smaller than what was off CPU
// (scaled-up samples): then on_cpu_ns is 0.
struct TimeSplit {
  std::uint64_t on_cpu_ns = 0;
  std::uint64_t runq_ns = 0;     // ready, waiting for a CPU
  std::uint64_t blocked_ns = 0;  // asleep: lock, I/O, timer
};

// Times are absent when no call was timed (none returned, or entry-only probes); then there are
// estimates from the CPU samples, if there were samples at all.
struct FunctionRow {
  const FunctionStats* stats = nullptr;
  std::uint32_t function = 0;  // index into Recording::functions
  std::optional<std::uint64_t> total_ns;
  std::optional<std::uint64_t> self_ns;
  std::optional<std::uint64_t> avg_ns;
  std::optional<std::uint64_t> min_ns;
  std::optional<std::uint64_t> max_ns;
  std::optional<std::uint64_t> p50_ns;
  std::optional<std::uint64_t> p90_ns;
  std::optional<std::uint64_t> p95_ns;
  std::optional<std::uint64_t> p99_ns;
  std::optional<std::uint64_t> p999_ns;
  std::optional<TimeSplit> total_split;  // absent too when waiting was not measured
  std::optional<TimeSplit> self_split;
  std::optional<std::uint64_t> estimated_total_ns;
  std::optional<std::uint64_t> estimated_self_ns;
  std::optional<double> unwound_share;  // of the calls whose end was watched for, 0 to 1
  std::optional<std::uint64_t> threw;   // of those; absent: nobody watched for exceptions
  std::optional<double> threw_share;
  std::uint64_t probe_time_ns = 0;  // that its probes took, by prediction
  bool costly = false;              // the probes cost more than a fifth of the average call
};

// Names that function_table takes as key: "total" first, the default.
std::span<const std::string_view> function_sort_keys();

// All functions, sorted by key: numbers from high to low with absent ones last, names from a to z.
// An estimate takes the place of a time that is absent. Ties by name, module and address. An
// unknown key sorts by total.
std::vector<FunctionRow> function_table(const Recording& recording, std::string_view key);

}  // namespace callscope
