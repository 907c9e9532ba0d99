// SPDX-License-Identifier: Apache-2.0
#include "model/resource_summary.hpp"

#include <algorithm>
#include <array>

#include "callscope/time.hpp"

namespace callscope {
namespace {

constexpr double kNsPerMinute = 60e9;
constexpr std::size_t kMaxSlopePoints = 200;

struct Field {
  std::string_view name;
  std::uint64_t ResourceSnapshot::* value;
  bool bytes;
};

constexpr std::array kGauges = {
    Field{"rss_bytes", &ResourceSnapshot::rss_bytes, true},
    Field{"pss_bytes", &ResourceSnapshot::pss_bytes, true},
    Field{"vms_bytes", &ResourceSnapshot::vms_bytes, true},
    Field{"swap_bytes", &ResourceSnapshot::swap_bytes, true},
    Field{"threads", &ResourceSnapshot::threads, false},
    Field{"fds", &ResourceSnapshot::fds, false},
    Field{"fd_files", &ResourceSnapshot::fd_files, false},
    Field{"fd_sockets", &ResourceSnapshot::fd_sockets, false},
    Field{"fd_pipes", &ResourceSnapshot::fd_pipes, false},
    Field{"fd_anon", &ResourceSnapshot::fd_anon, false},
    Field{"fd_other", &ResourceSnapshot::fd_other, false},
};

constexpr std::array kCounters = {
    Field{"minor_faults", &ResourceSnapshot::minor_faults, false},
    Field{"major_faults", &ResourceSnapshot::major_faults, false},
    Field{"voluntary_switches", &ResourceSnapshot::voluntary_switches, false},
    Field{"involuntary_switches", &ResourceSnapshot::involuntary_switches, false},
    Field{"read_bytes", &ResourceSnapshot::read_bytes, true},
    Field{"written_bytes", &ResourceSnapshot::written_bytes, true},
};

// A counter that went down (the target called exec) has no meaning over the whole span.
std::optional<std::uint64_t> increase(std::uint64_t first, std::uint64_t last) {
  if (last < first) return std::nullopt;
  return last - first;
}

GaugeSummary summarize_gauge(std::span<const ResourceSnapshot> snapshots, const Field& field) {
  const auto [low, high] = std::ranges::minmax(snapshots, {}, field.value);
  return {field.name,
          field.bytes,
          snapshots.front().*field.value,
          snapshots.back().*field.value,
          low.*field.value,
          high.*field.value,
          growth_per_minute(snapshots, field.value)};
}

}  // namespace

std::optional<double> growth_per_minute(std::span<const ResourceSnapshot> snapshots,
                                        std::uint64_t ResourceSnapshot::* field) {
  if (snapshots.size() < 2 || snapshots.back().t_ns < snapshots.front().t_ns + kNsPerSecond) {
    return std::nullopt;
  }
  const std::size_t points = std::min(snapshots.size(), kMaxSlopePoints);
  const auto point = [&](std::size_t i) -> const ResourceSnapshot& {
    return snapshots[i * (snapshots.size() - 1) / (points - 1)];
  };
  std::vector<double> slopes;
  slopes.reserve(points * (points - 1) / 2);
  for (std::size_t a = 0; a < points; ++a) {
    for (std::size_t b = a + 1; b < points; ++b) {
      const double elapsed =
          static_cast<double>(point(b).t_ns) - static_cast<double>(point(a).t_ns);
      if (elapsed <= 0) continue;
      const double grown =
          static_cast<double>(point(b).*field) - static_cast<double>(point(a).*field);
      slopes.push_back(grown / elapsed);
    }
  }
  if (slopes.empty()) return std::nullopt;
  const auto middle = slopes.begin() + static_cast<std::ptrdiff_t>(slopes.size() / 2);
  std::ranges::nth_element(slopes, middle);
  double median = *middle;
  if (slopes.size() % 2 == 0) median = (median + *std::max_element(slopes.begin(), middle)) / 2;
  return median * kNsPerMinute;
}

ResourceSummary summarize_resources(std::span<const ResourceSnapshot> snapshots) {
  ResourceSummary summary;
  if (snapshots.empty()) return summary;
  const ResourceSnapshot& first = snapshots.front();
  const ResourceSnapshot& last = snapshots.back();
  summary.span_ns = increase(first.t_ns, last.t_ns).value_or(0);
  for (const Field& field : kGauges) summary.gauges.push_back(summarize_gauge(snapshots, field));

  const double seconds = static_cast<double>(summary.span_ns) / 1e9;
  for (const Field& field : kCounters) {
    const std::optional<std::uint64_t> count = increase(first.*field.value, last.*field.value);
    RateSummary& rate = summary.rates.emplace_back(
        RateSummary{field.name, field.bytes, count.value_or(0), std::nullopt});
    if (count && seconds > 0) rate.per_second = static_cast<double>(*count) / seconds;
  }
  if (summary.span_ns == 0) return summary;
  if (const auto used = increase(first.utime_ns, last.utime_ns)) {
    summary.cpu_user = static_cast<double>(*used) / static_cast<double>(summary.span_ns);
  }
  if (const auto used = increase(first.stime_ns, last.stime_ns)) {
    summary.cpu_system = static_cast<double>(*used) / static_cast<double>(summary.span_ns);
  }
  return summary;
}

}  // namespace callscope
