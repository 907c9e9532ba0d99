// SPDX-License-Identifier: Apache-2.0
#include "flamegraph/heatmap_axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace callscope {

double row_position(std::span<const std::uint64_t> bounds, std::uint64_t value_ns) {
  const auto above = std::ranges::upper_bound(bounds, value_ns);
  if (above == bounds.begin()) return 0;
  if (above == bounds.end()) return static_cast<double>(bounds.size() - 1);
  const std::uint64_t low = *(above - 1);
  const auto row = static_cast<double>(above - bounds.begin() - 1);
  return row + static_cast<double>(value_ns - low) / static_cast<double>(*above - low);
}

std::vector<HeatTick> latency_ticks(std::uint64_t low_ns, std::uint64_t high_ns) {
  constexpr std::uint64_t kLargest = 1'000'000'000'000'000'000;
  constexpr std::size_t kEnough = 3;
  std::vector<HeatTick> tens;
  std::vector<HeatTick> all;
  for (std::uint64_t ten = 1; ten <= high_ns && ten < kLargest; ten *= 10) {
    for (const std::uint64_t value : {ten, 2 * ten, 5 * ten}) {
      if (value < low_ns || value > high_ns) continue;
      all.push_back({value, latency_label(value)});
      if (value == ten) tens.push_back(all.back());
    }
  }
  return tens.size() < kEnough ? all : tens;
}

std::vector<HeatTick> time_ticks(std::uint64_t seconds, std::size_t max_ticks) {
  constexpr std::array<std::uint64_t, 13> kSteps = {1,   2,   5,   10,   15,   30,  60,
                                                    120, 300, 600, 1800, 3600, 7200};
  std::uint64_t step = kSteps.front();
  for (const std::uint64_t candidate : kSteps) {
    step = candidate;
    if (seconds / step < max_ticks) break;
  }
  while (seconds / step >= max_ticks) step *= 2;
  std::vector<HeatTick> ticks;
  for (std::uint64_t at = 0; at <= seconds; at += step) ticks.push_back({at, time_label(at)});
  return ticks;
}

std::string latency_label(std::uint64_t ns) {
  struct Unit {
    std::uint64_t ns;
    std::string_view name;
  };
  constexpr std::array<Unit, 3> kUnits = {Unit{1'000'000'000, "s"}, Unit{1'000'000, "ms"},
                                          Unit{1000, "\u00b5s"}};
  for (const Unit& unit : kUnits) {
    if (ns < unit.ns) continue;
    const double value = static_cast<double>(ns) / static_cast<double>(unit.ns);
    const int decimals = ns % unit.ns == 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return fmt::format("{:.{}f} {}", value, decimals, unit.name);
  }
  return fmt::format("{} ns", ns);
}

std::string time_label(std::uint64_t seconds) {
  constexpr std::uint64_t kMinute = 60;
  constexpr std::uint64_t kHour = 3600;
  if (seconds < 2 * kMinute) return fmt::format("{} s", seconds);
  if (seconds < kHour) return fmt::format("{}:{:02}", seconds / kMinute, seconds % kMinute);
  return fmt::format("{}:{:02}:{:02}", seconds / kHour, seconds % kHour / kMinute,
                     seconds % kMinute);
}

}  // namespace callscope
