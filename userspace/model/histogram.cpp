// SPDX-License-Identifier: Apache-2.0
#include "model/histogram.hpp"

#include <algorithm>
#include <cmath>

#include "callscope/abi/histogram.h"

namespace callscope {

std::uint64_t histogram_count(std::span<const HistogramSlot> slots) {
  std::uint64_t count = 0;
  for (const HistogramSlot& slot : slots) count += slot.second;
  return count;
}

std::uint64_t histogram_slot_middle_ns(std::uint32_t slot) {
  const std::uint64_t low = cs_hist_slot_low(slot);
  const std::uint64_t last = cs_hist_slot_low(slot + 1) - 1;
  return low + (last - low) / 2;
}

std::optional<std::uint64_t> percentile_ns(std::span<const HistogramSlot> slots, double p,
                                           std::uint64_t min_ns, std::uint64_t max_ns) {
  const std::uint64_t count = histogram_count(slots);
  if (count == 0 || !(p > 0.0) || p > 1.0 || min_ns > max_ns) return std::nullopt;
  // ceil(p * count), where 0.9 * 10 must give 9 although 0.9 is a little more than nine tenths.
  const long double exact = static_cast<long double>(p) * static_cast<long double>(count);
  const auto rank = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(exact - exact * 1e-12L)), 1, count);
  if (rank == 1) return min_ns;
  if (rank == count) return max_ns;
  std::uint64_t seen = 0;
  for (const HistogramSlot& slot : slots) {
    seen += slot.second;
    if (seen >= rank) return std::clamp(histogram_slot_middle_ns(slot.first), min_ns, max_ns);
  }
  return max_ns;
}

std::vector<HistogramSlot> merge_histograms(std::span<const HistogramSlot> a,
                                            std::span<const HistogramSlot> b) {
  std::vector<HistogramSlot> merged;
  merged.reserve(a.size() + b.size());
  std::ranges::merge(a, b, std::back_inserter(merged));
  std::size_t kept = 0;
  for (std::size_t i = 0; i < merged.size(); ++i) {
    if (kept > 0 && merged[kept - 1].first == merged[i].first) {
      merged[kept - 1].second += merged[i].second;
    } else {
      merged[kept++] = merged[i];
    }
  }
  merged.resize(kept);
  return merged;
}

}  // namespace callscope
