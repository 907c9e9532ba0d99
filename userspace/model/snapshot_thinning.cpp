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

// Removes up to excess snapshots that drop(index) names, looking from the oldest on.
template <typename Drop>
void remove_oldest(std::vector<ResourceSnapshot>& snapshots, std::size_t excess, Drop drop) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    if (excess > 0 && drop(i)) {
      --excess;
    } else {
      snapshots[kept++] = snapshots[i];
    }
  }
  snapshots.resize(kept);
}

}  // namespace

void thin_snapshots(std::vector<ResourceSnapshot>& snapshots, std::size_t max_count) {
  max_count = std::max<std::size_t>(max_count, 2);
  if (snapshots.size() <= max_count) return;
  const std::size_t goal = max_count - max_count / 8;

  std::vector<bool> kept = find_protected(snapshots);
  bool previous_dropped = false;
  remove_oldest(snapshots, snapshots.size() - goal, [&](std::size_t i) {
    previous_dropped = !kept[i] && !previous_dropped;
    return previous_dropped;
  });
  if (snapshots.size() <= max_count) return;

  // Few unprotected ones were left: take all of them, then the oldest extremes.
  kept = find_protected(snapshots);
  remove_oldest(snapshots, snapshots.size() - max_count, [&](std::size_t i) { return !kept[i]; });
  const std::size_t last = snapshots.size() - 1;
  remove_oldest(snapshots, snapshots.size() - std::min(max_count, snapshots.size()),
                [&](std::size_t i) { return i != 0 && i != last; });
}

}  // namespace callscope
