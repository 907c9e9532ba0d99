// SPDX-License-Identifier: Apache-2.0
#include "model/snapshot_thinning.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace callscope {
namespace {

constexpr std::array kExtremes = {&ResourceSnapshot::rss_bytes, &ResourceSnapshot::vms_bytes,
                                  &ResourceSnapshot::pss_bytes, &ResourceSnapshot::fds,
                                  &ResourceSnapshot::threads};

std::vector<bool> find_protected(const std::vector<ResourceSnapshot>& snapshots) {
  std::vector<bool> kept(snapshots.size(), false);
  const auto mark = [&](auto position) {
    kept[static_cast<std::size_t>(position - snapshots.begin())] = true;
  };
  mark(snapshots.begin());
  mark(snapshots.end() - 1);
  for (const auto field : kExtremes) {
    mark(std::ranges::min_element(snapshots, {}, field));
    // max_element finds the first of equals, too.
    mark(std::ranges::max_element(snapshots, {}, field));
  }
  return kept;
}

// Span that would lie open if snapshot i of a sorted list were removed.
std::uint64_t gap_without(const std::vector<ResourceSnapshot>& snapshots, std::size_t i) {
  return snapshots[i + 1].t_ns - snapshots[i - 1].t_ns;
}

// Removes up to excess unprotected snapshots whose removal opens a gap of at most max_gap, no two
// in a row, oldest first.
void remove_every_second(std::vector<ResourceSnapshot>& snapshots, std::size_t excess,
                         std::uint64_t max_gap) {
  const std::vector<bool> is_protected = find_protected(snapshots);
  std::size_t kept = 0;
  bool dropped = false;
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    // Where the previous one was dropped this one stays, so i - 1 is still its neighbour.
    dropped = excess > 0 && !dropped && !is_protected[i] &&
              snapshots[i + 1].t_ns - snapshots[kept - 1].t_ns <= max_gap;
    if (dropped) {
      --excess;
    } else {
      snapshots[kept++] = snapshots[i];
    }
  }
  snapshots.resize(kept);
}

// The smallest gap that removing an unprotected snapshot would open; 0 if all are protected.
std::uint64_t smallest_gap(const std::vector<ResourceSnapshot>& snapshots) {
  const std::vector<bool> is_protected = find_protected(snapshots);
  std::uint64_t smallest = 0;
  for (std::size_t i = 1; i + 1 < snapshots.size(); ++i) {
    if (is_protected[i]) continue;
    const std::uint64_t gap = std::max<std::uint64_t>(gap_without(snapshots, i), 1);
    if (smallest == 0 || gap < smallest) smallest = gap;
  }
  return smallest;
}

}  // namespace

void thin_snapshots(std::vector<ResourceSnapshot>& snapshots, std::size_t max_count) {
  max_count = std::max<std::size_t>(max_count, 2);
  if (snapshots.size() <= max_count) return;
  const std::size_t goal = max_count - max_count / 8;

  // A quarter more forgives timers that are late. Each round doubles what counts as close, so at
  // most 64 rounds remove whatever may be removed.
  std::uint64_t gap = smallest_gap(snapshots);
  gap += gap / 4;
  while (snapshots.size() > goal && smallest_gap(snapshots) != 0) {
    remove_every_second(snapshots, snapshots.size() - goal, gap);
    gap = gap > ~std::uint64_t{0} / 2 ? ~std::uint64_t{0} : gap * 2;
  }
  if (snapshots.size() <= max_count) return;
  // Only first, last and extremes are left.
  const auto excess = static_cast<std::ptrdiff_t>(snapshots.size() - max_count);
  snapshots.erase(snapshots.begin() + 1, snapshots.begin() + 1 + excess);
}

}  // namespace callscope
