// SPDX-License-Identifier: Apache-2.0
// Latency over time as a grid: seconds from left to right, latency from low to high. What heat maps
// draw, in text and as SVG. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "callscope/recording.hpp"
#include "model/histogram.hpp"

namespace callscope {

struct LatencyMap {
  std::uint32_t first_second = 0;
  std::uint32_t seconds_per_column = 1;
  std::vector<std::uint64_t> row_low_ns;  // lower bound of each row, then the end of the last one
  // By column, then row: counts[column * rows() + row].
  std::vector<std::uint64_t> counts;
  std::vector<std::optional<std::uint64_t>> p50_ns;  // of each column; absent: no call returned
  std::vector<std::optional<std::uint64_t>> p99_ns;
  std::uint64_t largest = 0;  // of counts
  std::uint64_t sum = 0;

  [[nodiscard]] std::size_t rows() const { return row_low_ns.empty() ? 0 : row_low_ns.size() - 1; }
  [[nodiscard]] std::size_t columns() const { return p50_ns.size(); }
  [[nodiscard]] std::uint64_t at(std::size_t column, std::size_t row) const {
    return counts[column * rows() + row];
  }
};

// The calls of one function. Rows divide each power of two into rows_per_octave (1, 2, 4, 8 or 16)
// and go from the first that is not empty to the last; columns cover the whole recording, several
// seconds each when there would be more than max_columns. An empty map when nothing was kept.
LatencyMap latency_map(const Recording& recording, std::uint32_t function, std::size_t max_columns,
                       std::uint32_t rows_per_octave);

// Functions that have columns, by their total time from high to low.
std::vector<std::uint32_t> functions_with_latency(const Recording& recording);

}  // namespace callscope
