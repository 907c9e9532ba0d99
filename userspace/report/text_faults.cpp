// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "report/text_sections.hpp"
#include "report/text_stack.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

std::string headline(const Recording& recording, std::uint64_t all) {
  if (all == 0) return "  none: no thread touched memory that was not there\n";
  std::set<std::pair<std::int32_t, std::int32_t>> threads;
  for (const PageFaults& faults : recording.faults)
    if (faults.count > 0) threads.emplace(faults.pid, faults.tid);
  return fmt::format("  {} by {} threads: {} or more\n", all, threads.size(),
                     format_bytes(static_cast<double>(all * kPageBytes)));
}

}  // namespace

std::string text_faults(const Recording& recording, const ReportOptions& options,
                        const Paint& paint) {
  if (!recording.page_faults) return {};
  const std::size_t room = std::max<std::size_t>(options.width, 80) - 20;
  // Stacks that read the same are one.
  std::map<std::string, std::uint64_t> by_line;
  std::uint64_t all = 0;
  for (const PageFaults& faults : recording.faults) {
    if (faults.count == 0) continue;
    by_line[user_stack_line(recording, recording.stacks[faults.stack], room, options.lines)] +=
        faults.count;
    all += faults.count;
  }
  std::vector<std::pair<std::string, std::uint64_t>> rows(by_line.begin(), by_line.end());
  std::ranges::stable_sort(rows, std::greater{}, [](const auto& row) { return row.second; });
  std::size_t shown = rows.size();
  if (options.top_stacks > 0) shown = std::min(shown, options.top_stacks);
  TextTable table({{"share"}, {"faults"}, {"top stacks, leaf < caller", Align::kLeft}});
  for (const auto& [line, count] : std::span(rows).first(shown))
    table.add_row({format_percent(static_cast<double>(count), static_cast<double>(all)),
                   std::to_string(count), line});
  return "\n" + paint.bold("PAGE FAULTS") + headline(recording, all) +
         (rows.empty() ? "" : table.write(options.width, paint, 40));
}

}  // namespace callscope
