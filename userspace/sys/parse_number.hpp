// SPDX-License-Identifier: Apache-2.0
// Whole-string, range-checked number parsing over from_chars. Pure functions.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace callscope {

// The whole of text as a number in [low, high]; nothing otherwise.
template <std::integral T>
std::optional<T> parse_number(std::string_view text, T low = std::numeric_limits<T>::min(),
                              T high = std::numeric_limits<T>::max(), int base = 10) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc{} || stop != end || value < low || value > high) return std::nullopt;
  return value;
}

// "10", "10s", "1.5s", "500ms", "20us", "7ns", "2m", "1h" to nanoseconds; bare numbers are seconds.
std::optional<std::uint64_t> parse_duration_ns(std::string_view text);

}  // namespace callscope
