// SPDX-License-Identifier: Apache-2.0
#include "flamegraph/folded.hpp"

#include <fmt/format.h>

#include <charconv>
#include <expected>
#include <limits>
#include <utility>

namespace callscope {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kUnnamedFrame = "[unknown]";

using Reason = std::string_view;  // of a refused line; always a literal

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "12", "12." and "12.5" as whole numbers; signs, exponents and anything behind them are refused.
std::expected<std::uint64_t, Reason> parse_weight(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) return std::unexpected("the weight is too large");
  if (error != std::errc{}) return std::unexpected("no weight after the last blank");
  if (stop == end) return value;
  if (*stop != '.') return std::unexpected("the weight is not a number");
  const std::string_view fraction(stop + 1, end);
  for (const char c : fraction) {
    if (!is_digit(c)) return std::unexpected("the weight is not a number");
  }
  const bool up = !fraction.empty() && fraction.front() >= '5';
  if (up && value == std::numeric_limits<std::uint64_t>::max()) {
    return std::unexpected("the weight is too large");
  }
  return value + (up ? 1 : 0);
}

std::vector<std::string> split_frames(std::string_view stack) {
  std::vector<std::string> frames;
  while (true) {
    const std::size_t semicolon = stack.find(';');
    const std::string_view frame = stack.substr(0, semicolon);
    frames.emplace_back(frame.empty() ? kUnnamedFrame : frame);
    if (semicolon == std::string_view::npos) return frames;
    stack.remove_prefix(semicolon + 1);
  }
}

std::expected<FoldedStack, Reason> parse_line(std::string_view line) {
  const std::size_t blank = line.find_last_of(kBlanks);
  if (blank == std::string_view::npos) return std::unexpected("no weight after the last blank");
  const std::expected<std::uint64_t, Reason> weight = parse_weight(line.substr(blank + 1));
  if (!weight) return std::unexpected(weight.error());
  const std::size_t stack_end = line.find_last_not_of(kBlanks, blank);
  if (stack_end == std::string_view::npos) return std::unexpected("no frames before the weight");
  return FoldedStack{split_frames(line.substr(0, stack_end + 1)), *weight};
}

std::string_view trim_end(std::string_view line) {
  const std::size_t last = line.find_last_not_of(" \t\r");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

void count_skipped(FoldedStats& stats, Reason reason) {
  if (stats.skipped++ != 0) return;
  stats.first_skipped_line = stats.lines;
  stats.first_skipped_reason = reason;
}

}  // namespace

Result<std::vector<FoldedStack>> parse_folded(std::string_view text, FoldedStats* stats) {
  FoldedStats local;
  FoldedStats& counts = stats != nullptr ? *stats : local;
  counts = {};
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);

  std::vector<FoldedStack> stacks;
  std::uint64_t sum = 0;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::string_view line = trim_end(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    ++counts.lines;
    if (line.empty() || line.front() == '#') continue;

    std::expected<FoldedStack, Reason> stack = parse_line(line);
    if (stack && stack->weight > std::numeric_limits<std::uint64_t>::max() - sum) {
      stack = std::unexpected("the sum of all weights is too large");
    }
    if (!stack) {
      count_skipped(counts, stack.error());
      continue;
    }
    sum += stack->weight;
    stacks.push_back(*std::move(stack));
  }
  if (!stacks.empty()) return stacks;
  constexpr std::string_view kHint = "expected lines such as \"main;work;read 42\"";
  if (counts.skipped == 0) {
    return fail(ErrorCode::kCorrupt, "no stacks in the folded input", std::string(kHint));
  }
  return fail(ErrorCode::kCorrupt,
              fmt::format("no valid line in the folded input; line {}: {}",
                          counts.first_skipped_line, counts.first_skipped_reason),
              std::string(kHint));
}

}  // namespace callscope
