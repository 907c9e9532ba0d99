// SPDX-License-Identifier: Apache-2.0
#include "cli/option.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "probes/pattern.hpp"
#include "sys/parse_number.hpp"

namespace callscope::cli {
namespace {

std::unexpected<Error> refuse(std::string_view text, const std::string& expected) {
  return fail(ErrorCode::kUsage, fmt::format("'{}' is not valid", text), "expected " + expected);
}

}  // namespace

std::string option_head(const Option& option) {
  if (!option.bare_value.empty()) return option.names + "[=" + option.value + "]";
  if (option.names.starts_with('-'))
    return option.value.empty() ? option.names : option.names + " " + option.value;
  return option.value.starts_with('[') ? option.value : option.names;
}

Setter set_flag(bool& out, bool value) {
  return [&out, value](std::string_view) -> Result<void> {
    out = value;
    return {};
  };
}

Setter set_text(std::string& out) {
  return [&out](std::string_view text) -> Result<void> {
    if (text.empty()) return refuse(text, "a text that is not empty");
    out = text;
    return {};
  };
}

Setter append_text(std::vector<std::string>& out) {
  return [&out](std::string_view text) -> Result<void> {
    out.emplace_back(text);
    return {};
  };
}

Setter append_list(std::vector<std::string>& out) {
  return [&out](std::string_view text) -> Result<void> {
    std::vector<std::string> parts = split_patterns(text);
    if (parts.empty()) return refuse(text, "a list with at least one name");
    out.insert(out.end(), parts.begin(), parts.end());
    return {};
  };
}

Setter set_number(std::uint64_t& out, std::uint64_t low, std::uint64_t high) {
  return [&out, low, high](std::string_view text) -> Result<void> {
    const auto value = parse_number<std::uint64_t>(text, low, high);
    if (!value) return refuse(text, fmt::format("a whole number from {} to {}", low, high));
    out = *value;
    return {};
  };
}

Setter set_decimal(double& out, double low, double high) {
  return [&out, low, high](std::string_view text) -> Result<void> {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    if (error != std::errc{} || stop != end || !(value >= low && value <= high))
      return refuse(text, fmt::format("a number from {} to {}", low, high));
    out = value;
    return {};
  };
}

Setter set_duration(std::uint64_t& out_ns, std::uint64_t low_ns, std::uint64_t high_ns) {
  return [&out_ns, low_ns, high_ns](std::string_view text) -> Result<void> {
    const auto value = parse_duration_ns(text);
    if (!value) return refuse(text, "a time such as 10s, 500ms or 2m; a bare number is seconds");
    if (*value < low_ns || *value > high_ns)
      return refuse(text, fmt::format("a time from {} ms to {} s", low_ns / 1'000'000,
                                      high_ns / 1'000'000'000));
    out_ns = *value;
    return {};
  };
}

Setter set_choice(std::string& out, std::vector<std::string> choices) {
  return [&out, choices = std::move(choices)](std::string_view text) -> Result<void> {
    if (std::ranges::find(choices, text) == choices.end())
      return refuse(text, fmt::format("one of {}", fmt::join(choices, ", ")));
    out = text;
    return {};
  };
}

}  // namespace callscope::cli
