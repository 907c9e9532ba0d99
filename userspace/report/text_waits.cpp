// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/wait_summary.hpp"
#include "report/frame_label.hpp"
#include "report/plain_text.hpp"
#include "report/text_sections.hpp"
#include "report/text_stack.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

// What the thread waits in: the innermost kernel function that is none of the scheduler's.
std::string kernel_function(const Recording& recording, const Stack& stack) {
  for (const std::uint32_t id : stack.frames) {
    if (!is_kernel(recording, recording.frames[id])) break;
    const std::string& name = recording.frames[id].function;
    const bool scheduler = name.starts_with("schedule") || name == "io_schedule" ||
                           name == "__cond_resched" || name == "preempt_schedule_irq";
    if (!scheduler) return printable(frame_label(recording, recording.frames[id]));
  }
  return "-";
}

std::string headline(const WaitSummary& waits) {
  const WaitSums& all = waits.all;
  if (all.count == 0) return "  no waits: no thread left its CPU and came back\n";
  return fmt::format("  {} in {} waits of {} threads: {} asleep, {} ready\n", format_ns(all.ns()),
                     all.count, waits.threads, format_ns(all.blocked_ns), format_ns(all.runq_ns));
}

}  // namespace

std::string text_waits(const Recording& recording, const ReportOptions& options,
                       const Paint& paint) {
  if (!recording.off_cpu) return {};
  const std::size_t kernel_width = options.width > 100 ? 22 : 13;
  const std::size_t room = std::max<std::size_t>(options.width, 80) - 36 - kernel_width;
  // Stacks that read the same are one.
  std::map<std::pair<std::string, std::string>, WaitSums> by_line;
  for (const Waits& waits : recording.waits) {
    const Stack& stack = recording.stacks[waits.stack];
    by_line[{cut_end(kernel_function(recording, stack), kernel_width),
             user_stack_line(recording, stack, room, options.lines)}]
        .add(waits);
  }
  std::vector<std::pair<std::pair<std::string, std::string>, WaitSums>> rows(by_line.begin(),
                                                                             by_line.end());
  std::erase_if(rows, [](const auto& row) { return row.second.count == 0; });
  std::ranges::stable_sort(rows, std::greater{}, [](const auto& row) { return row.second.ns(); });
  std::size_t shown = rows.size();
  if (options.top_stacks > 0) shown = std::min(shown, options.top_stacks);
  const WaitSummary summary = summarize_waits(recording);
  TextTable table({{"share"},
                   {"time"},
                   {"waits"},
                   {"ready"},
                   {"in the kernel", Align::kLeft},
                   {"top stacks, leaf < caller", Align::kLeft}});
  for (const auto& [line, sums] : std::span(rows).first(shown))
    table.add_row(
        {format_percent(static_cast<double>(sums.ns()), static_cast<double>(summary.all.ns())),
         format_ns(sums.ns()), std::to_string(sums.count), format_ns(sums.runq_ns), line.first,
         line.second});
  return "\n" + paint.bold("OFF CPU") + headline(summary) +
         (rows.empty() ? "" : table.write(options.width, paint, 40));
}

}  // namespace callscope
