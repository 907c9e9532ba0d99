// SPDX-License-Identifier: Apache-2.0
#include "report/units.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <span>
#include <string_view>

namespace callscope {
namespace {

// Three significant digits of a value from 0 to 999.5; larger ones in full.
std::string three_digits(double value) {
  const double size = std::abs(value);
  if (size < 9.995) return fmt::format("{:.2f}", value);
  if (size < 99.95) return fmt::format("{:.1f}", value);
  return fmt::format("{:.0f}", value);
}

// Scales value by step until it has at most three digits before the point. Values in the first
// unit are whole numbers.
std::string with_unit(double value, double step, std::span<const std::string_view> units) {
  if (std::abs(value) < step - 0.5) return fmt::format("{:.0f}{}", value, units.front());
  std::size_t unit = 0;
  while (unit + 1 < units.size() && std::abs(value) >= 999.5) {
    value /= step;
    ++unit;
  }
  return three_digits(value) + std::string(units[unit]);
}

}  // namespace

std::string format_ns(std::uint64_t ns) {
  constexpr std::array<std::string_view, 4> kUnits = {"ns", "us", "ms", "s"};
  return with_unit(static_cast<double>(ns), 1000, kUnits);
}

std::string format_ns(std::optional<std::uint64_t> ns) { return ns ? format_ns(*ns) : "-"; }

std::string format_bytes(double bytes) {
  constexpr std::array<std::string_view, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  return with_unit(bytes, 1024, kUnits);
}

std::string format_number(double value) {
  if (std::abs(value) < 0.005) return "0";
  if (value == std::floor(value)) return fmt::format("{:.0f}", value);
  return three_digits(value);
}

std::string format_percent(double part, double whole) {
  if (!(whole > 0)) return "-";
  return fmt::format("{:.1f}%", 100 * part / whole);
}

std::string format_utc(std::uint64_t unix_ns) {
  using std::chrono::sys_days;
  const std::chrono::sys_seconds time{
      std::chrono::seconds(static_cast<std::int64_t>(unix_ns / 1'000'000'000))};
  const sys_days day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", int{date.year()},
                     unsigned{date.month()}, unsigned{date.day()}, clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

}  // namespace callscope
