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

// Times are absent when no call was timed (none returned, or entry-only probes).
struct FunctionRow {
  const FunctionStats* stats = nullptr;
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
  bool costly = false;  // the probes cost more than a fifth of the average call
};

FunctionRow make_function_row(const FunctionStats& stats);

// Names that sort_function_rows takes: "total" first, the default.
std::span<const std::string_view> function_sort_keys();

// All functions, sorted by key: numbers from high to low with absent ones last, names from a to z.
// Ties by name, module and address. An unknown key sorts by total.
std::vector<FunctionRow> function_table(const Recording& recording, std::string_view key);

}  // namespace callscope
