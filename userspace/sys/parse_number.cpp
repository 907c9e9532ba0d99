// SPDX-License-Identifier: Apache-2.0
#include "sys/parse_number.hpp"

#include <array>
#include <cmath>
#include <system_error>
#include <utility>

namespace callscope {

std::optional<std::uint64_t> parse_duration_ns(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc{} || !(value >= 0)) return std::nullopt;
  constexpr std::array<std::pair<std::string_view, double>, 7> kUnits{
      {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {"m", 60e9}, {"h", 3600e9}}};
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  for (const auto& [name, scale] : kUnits) {
    if (name != unit) continue;
    const double ns = std::round(value * scale);
    if (ns > 9e18) return std::nullopt;
    return static_cast<std::uint64_t>(ns);
  }
  return std::nullopt;
}

}  // namespace callscope
