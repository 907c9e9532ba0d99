// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "callscope/abi/histogram.h"
#include "model/histogram.hpp"
#include "report/function_columns.hpp"
#include "report/name_filter.hpp"
#include "report/plain_text.hpp"
#include "report/text_sections.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

constexpr std::size_t kDefaultHistograms = 3;  // of functions without a glob
constexpr std::size_t kMostRows = 24;

struct Mark {
  double p;
  std::string_view name;
};
constexpr std::array kMarks = {Mark{0.5, "p50"}, Mark{0.95, "p95"}, Mark{0.99, "p99"},
                               Mark{0.999, "p99.9"}};

// The finest division of a power of two that gives no more than kMostRows rows.
std::uint32_t slots_per_row(std::uint32_t first, std::uint32_t last) {
  std::uint32_t slots = 1;
  while (slots < CS_HIST_SUB_SLOTS && last / slots - first / slots >= kMostRows) slots *= 2;
  return slots;
}

// The row in which each percentile lies, as "p95 p99".
std::string marks_in(const FunctionStats& f, std::uint32_t row, std::uint32_t slots) {
  std::string text;
  for (const Mark& mark : kMarks) {
    const auto value = percentile_ns(f.histogram, mark.p, f.min_ns, f.max_ns);
    if (value && cs_hist_slot(*value) / slots == row)
      text += (text.empty() ? "" : " ") + std::string(mark.name);
  }
  return text;
}

std::string bar(std::uint64_t count, std::uint64_t largest, std::size_t width) {
  const auto length = static_cast<std::size_t>(
      static_cast<double>(count) / static_cast<double>(largest) * static_cast<double>(width) + 0.5);
  return length == 0 && count > 0 ? "." : std::string(length, '#');
}

std::string histogram_of(const Recording& recording, const FunctionStats& f,
                         const ReportOptions& options, const Paint& paint) {
  const std::uint64_t sum = histogram_count(f.histogram);
  std::string text = fmt::format(
      "  {}  {} calls{}\n", cut_middle(function_label(recording, f), options.width - 46), f.returns,
      sum == f.returns ? "" : fmt::format(" timed, scaled up to {}", sum));
  const std::uint32_t slots = slots_per_row(f.histogram.front().first, f.histogram.back().first);
  const std::uint32_t first = f.histogram.front().first / slots;
  std::vector<std::uint64_t> rows(f.histogram.back().first / slots - first + 1);
  for (const auto& [slot, count] : f.histogram) rows[slot / slots - first] += count;
  const std::uint64_t largest = std::max<std::uint64_t>(1, std::ranges::max(rows));
  const std::size_t width = options.width > 60 ? std::min<std::size_t>(options.width - 46, 80) : 20;
  TextTable table({{"from"}, {"calls"}, {"share"}, {"up to"}, {"", Align::kLeft}});
  std::uint64_t seen = 0;
  for (std::uint32_t row = 0; row < rows.size(); ++row) {
    seen += rows[row];
    const std::string marks = marks_in(f, row + first, slots);
    table.add_row({format_ns(cs_hist_slot_low((row + first) * slots)), std::to_string(rows[row]),
                   format_percent(static_cast<double>(rows[row]), static_cast<double>(sum)),
                   format_percent(static_cast<double>(seen), static_cast<double>(sum)),
                   bar(rows[row], largest, width) + (marks.empty() ? "" : " < " + marks)});
  }
  return text + table.write(options.width, paint, 30);
}

}  // namespace

std::string text_histograms(const Recording& recording, const ReportOptions& options,
                            const Paint& paint) {
  const std::string& glob = *options.histogram;
  std::string text = paint.bold("HISTOGRAMS") + "  each row from its latency to that of the next\n";
  const std::size_t limit = glob == "*" ? kDefaultHistograms : options.top_functions;
  std::size_t shown = 0;
  for (const std::uint32_t function : matching_functions(recording, glob, 0)) {
    if (limit > 0 && shown == limit) break;
    const FunctionStats& f = recording.functions[function];
    if (histogram_count(f.histogram) == 0) continue;
    text += shown++ > 0 ? "\n" : "";
    text += histogram_of(recording, f, options, paint);
  }
  if (shown == 0) text += "  no timed function matches " + printable(glob) + "\n";
  return text;
}

}  // namespace callscope
