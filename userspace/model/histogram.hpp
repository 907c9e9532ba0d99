// SPDX-License-Identifier: Apache-2.0
// Reading of latency histograms (abi/histogram.h): percentiles and sums. Pure functions on the slot
// lists of FunctionStats: (slot, count), slots ascending and below CS_HIST_SLOTS.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace callscope {

using HistogramSlot = std::pair<std::uint32_t, std::uint64_t>;

// Number of values in the histogram.
std::uint64_t histogram_count(std::span<const HistogramSlot> slots);

// The middle of a slot in ns: at most 3.2 % off any value in it (the last slot is open-ended).
std::uint64_t histogram_slot_middle_ns(std::uint32_t slot);

// Nearest-rank percentile, p in (0, 1]: the smallest value that p of all values do not exceed.
// Exact for the first and the last rank, else the middle of the slot, never outside
// [min_ns, max_ns]. Nothing for an empty histogram or a p out of range.
std::optional<std::uint64_t> percentile_ns(std::span<const HistogramSlot> slots, double p,
                                           std::uint64_t min_ns, std::uint64_t max_ns);

// The histogram of both sets of values together.
std::vector<HistogramSlot> merge_histograms(std::span<const HistogramSlot> a,
                                            std::span<const HistogramSlot> b);

}  // namespace callscope
