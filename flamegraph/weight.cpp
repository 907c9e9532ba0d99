// SPDX-License-Identifier: Apache-2.0
#include "flamegraph/weight.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <span>

namespace callscope {
namespace {

struct Scale {
  double size;  // in the base unit: ns or bytes
  std::string_view name;
};

// Largest first.
constexpr std::array<Scale, 4> kTimes{{{1e9, "s"}, {1e6, "ms"}, {1e3, "\u00b5s"}, {1, "ns"}}};
constexpr std::array<Scale, 5> kSizes{{{1099511627776.0, "TiB"},
                                       {1073741824.0, "GiB"},
                                       {1048576.0, "MiB"},
                                       {1024.0, "KiB"},
                                       {1, "B"}}};

// Nanoseconds in one unit of time; nothing if it is none.
std::optional<double> time_unit_ns(std::string_view unit) {
  for (const Scale& scale : kTimes) {
    if (unit == scale.name) return scale.size;
  }
  if (unit == "us") return 1e3;
  return std::nullopt;
}

std::string three_digits(double value, std::span<const Scale> scales) {
  const Scale* scale = &scales.back();
  for (const Scale& candidate : scales) {
    if (value >= candidate.size) {
      scale = &candidate;
      break;
    }
  }
  const double scaled = value / scale->size;
  // The smallest scale counts things that have no fraction.
  const int decimals = scale == &scales.back() || scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  return fmt::format("{:.{}f} {}", scaled, decimals, scale->name);
}

}  // namespace

std::string format_count(std::uint64_t count) {
  std::string text = fmt::format("{}", count);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string format_weight(std::uint64_t weight, std::string_view unit) {
  const double value = static_cast<double>(weight);
  if (const std::optional<double> ns = time_unit_ns(unit)) return three_digits(value * *ns, kTimes);
  if (unit == "bytes") return three_digits(value, kSizes);
  if (unit.empty()) return format_count(weight);
  if (weight == 1 && unit.ends_with('s')) unit.remove_suffix(1);
  return fmt::format("{} {}", format_count(weight), unit);
}

std::string format_share(std::uint64_t part, std::uint64_t whole) {
  if (part == 0 || whole == 0) return "0 %";
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return percent < 0.01 ? "< 0.01 %" : fmt::format("{:.2f} %", percent);
}

}  // namespace callscope
