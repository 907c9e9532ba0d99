// SPDX-License-Identifier: Apache-2.0
#include "model/latency_map.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "callscope/abi/histogram.h"
#include "callscope/time.hpp"

namespace callscope {
namespace {

// A percentile of the middle of slots: a column knows neither its minimum nor its maximum.
std::optional<std::uint64_t> percentile(const std::vector<HistogramSlot>& slots, double p) {
  if (slots.empty()) return std::nullopt;
  return percentile_ns(slots, p, histogram_slot_middle_ns(slots.front().first),
                       histogram_slot_middle_ns(slots.back().first));
}

}  // namespace

LatencyMap latency_map(const Recording& recording, std::uint32_t function, std::size_t max_columns,
                       std::uint32_t rows_per_octave) {
  LatencyMap map;
  const std::uint32_t slots_per_row = CS_HIST_SUB_SLOTS / rows_per_octave;
  std::uint32_t last_second = 0;
  std::uint32_t low_row = ~std::uint32_t{0};
  std::uint32_t high_row = 0;
  for (const LatencyColumn& column : recording.latency_columns) {
    if (column.function != function || column.histogram.empty()) continue;
    last_second = std::max(last_second, column.second);
    low_row = std::min(low_row, column.histogram.front().first / slots_per_row);
    high_row = std::max(high_row, column.histogram.back().first / slots_per_row);
  }
  if (low_row > high_row || max_columns == 0) return map;
  const std::uint64_t recorded = (recording.duration_ns + kNsPerSecond - 1) / kNsPerSecond;
  const std::uint64_t seconds = std::max<std::uint64_t>(std::uint64_t{last_second} + 1,
                                                        std::min<std::uint64_t>(recorded, ~0U));
  map.seconds_per_column = static_cast<std::uint32_t>((seconds + max_columns - 1) / max_columns);
  const auto columns =
      static_cast<std::size_t>((seconds + map.seconds_per_column - 1) / map.seconds_per_column);
  for (std::uint32_t row = low_row; row <= high_row + 1; ++row) {
    map.row_low_ns.push_back(cs_hist_slot_low(row * slots_per_row));
  }
  map.counts.resize(columns * map.rows());
  std::vector<std::vector<HistogramSlot>> merged(columns);
  for (const LatencyColumn& column : recording.latency_columns) {
    if (column.function != function) continue;
    const std::size_t place = column.second / map.seconds_per_column;
    merged[place] = merge_histograms(merged[place], column.histogram);
  }
  for (std::size_t column = 0; column < columns; ++column) {
    for (const auto& [slot, count] : merged[column]) {
      std::uint64_t& cell = map.counts[column * map.rows() + slot / slots_per_row - low_row];
      cell += count;
      map.sum += count;
      map.largest = std::max(map.largest, cell);
    }
    map.p50_ns.push_back(percentile(merged[column], 0.5));
    map.p99_ns.push_back(percentile(merged[column], 0.99));
  }
  return map;
}

std::vector<std::uint32_t> functions_with_latency(const Recording& recording) {
  std::set<std::uint32_t> seen;
  for (const LatencyColumn& column : recording.latency_columns) seen.insert(column.function);
  std::vector<std::uint32_t> functions(seen.begin(), seen.end());
  std::ranges::stable_sort(functions, [&](std::uint32_t a, std::uint32_t b) {
    return recording.functions[a].total_ns > recording.functions[b].total_ns;
  });
  return functions;
}

}  // namespace callscope
