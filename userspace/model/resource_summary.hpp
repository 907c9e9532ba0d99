// SPDX-License-Identifier: Apache-2.0
// What the snapshots of a recording say: range and growth of each gauge, rate of each counter.
// Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "callscope/recording.hpp"

namespace callscope {

// A gauge over time: resident memory, open descriptors, threads ...
struct GaugeSummary {
  std::string_view name;  // as in the recording file: "rss_bytes"
  bool bytes = false;     // else a plain number
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  std::optional<double> per_minute;  // growth; absent below two snapshots or one second
};

// A counter over time: faults, switches, bytes read ... from the first snapshot to the last.
struct RateSummary {
  std::string_view name;
  bool bytes = false;
  std::uint64_t count = 0;
  std::optional<double> per_second;
};

struct ResourceSummary {
  std::uint64_t span_ns = 0;  // from the first snapshot to the last
  std::vector<GaugeSummary> gauges;
  std::vector<RateSummary> rates;
  std::optional<double> cpu_user;    // CPUs used in user mode: 1.0 = one CPU all the time
  std::optional<double> cpu_system;  // in the kernel
};

// snapshots ascend by t_ns. Empty gauges and rates when there is no snapshot.
ResourceSummary summarize_resources(std::span<const ResourceSnapshot> snapshots);

// Growth per minute of one gauge: the median slope over pairs of snapshots (Theil and Sen,
// 1950/68), of at most 200 of them, evenly chosen. Unlike a least-squares line it is not bent by a
// burst at the start, by a single spike, or by snapshots that were thinned out.
std::optional<double> growth_per_minute(std::span<const ResourceSnapshot> snapshots,
                                        std::uint64_t ResourceSnapshot::* field);

}  // namespace callscope
