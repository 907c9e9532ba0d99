// SPDX-License-Identifier: Apache-2.0
#include "collect/resources.hpp"

#include <algorithm>

#include "model/snapshot_thinning.hpp"
#include "sys/clock.hpp"
#include "target/resources.hpp"

namespace callscope {

Result<void> ResourceCollector::take(std::uint64_t t_ns, std::vector<ResourceSnapshot>& snapshots) {
  if (t_ns < next_due_ns_) return {};
  return finish(t_ns, snapshots);
}

Result<void> ResourceCollector::finish(std::uint64_t t_ns,
                                       std::vector<ResourceSnapshot>& snapshots) {
  const std::uint64_t begin_ns = monotonic_ns();
  Result<ResourceSnapshot> snapshot = read_resources(pid_);
  if (!snapshot) return std::unexpected(snapshot.error());
  const std::uint64_t cost_ns = monotonic_ns() - begin_ns;
  snapshot->t_ns = t_ns;
  snapshots.push_back(*snapshot);
  thin_snapshots(snapshots, max_snapshots_);

  // The caller's timer is never exact: one sixteenth early still counts as on time, so that a tick
  // a moment too soon does not double the distance.
  constexpr std::uint64_t kCostShare = 20;  // 1/20 of the time
  next_due_ns_ = t_ns + std::max(interval_ns_ - interval_ns_ / 16, cost_ns * kCostShare);
  return {};
}

}  // namespace callscope
