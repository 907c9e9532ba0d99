// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "model/stack_summary.hpp"
#include "report/frame_label.hpp"
#include "report/plain_text.hpp"
#include "report/text_sections.hpp"
#include "report/text_stack.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

std::string share(std::uint64_t part, std::uint64_t whole) {
  return format_percent(static_cast<double>(part), static_cast<double>(whole));
}

std::string headline(const Recording& recording, const StackSummary& summary, bool slow) {
  if (slow) {
    return fmt::format("  {} samples inside the {} slow calls that were logged, {} in the kernel\n",
                       summary.samples, recording.slow_calls.size(),
                       share(summary.kernel_leaf, summary.samples));
  }
  const double seconds = static_cast<double>(recording.duration_ns) / 1e9;
  std::string text = fmt::format("  {} samples at {} Hz ({})", summary.samples, recording.sample_hz,
                                 printable(recording.sample_event));
  if (seconds > 0 && recording.sample_hz > 0) {
    const double periods = static_cast<double>(recording.sample_hz) * seconds;
    text += fmt::format(", {:.2f} CPUs busy", static_cast<double>(summary.samples) / periods);
  }
  return text + fmt::format(", {} in the kernel\n", share(summary.kernel_leaf, summary.samples));
}

std::string share_label(const Recording& recording, const FunctionShare& function) {
  const Module& module = recording.modules[function.module];
  const std::string label = printable(module_label(module));
  if (function.name.empty()) return "[unknown] in " + label;
  const std::string name = printable(function.name) + (function.inlined ? " (inlined)" : "");
  return module.path == recording.target.exe ? name : name + " [" + label + "]";
}

std::string hot_functions(const Recording& recording, const StackSummary& summary,
                          const ReportOptions& options, const Paint& paint) {
  std::size_t count = summary.functions.size();
  if (options.top_cpu_functions > 0) count = std::min(count, options.top_cpu_functions);
  TextTable table({{"self"}, {"total"}, {"samples"}, {"function", Align::kLeft}});
  for (const FunctionShare& function : std::span(summary.functions).first(count)) {
    table.add_row({share(function.self, summary.samples), share(function.total, summary.samples),
                   std::to_string(function.self), share_label(recording, function)});
  }
  std::string text = table.write(options.width, paint, 40);
  if (count < summary.functions.size()) {
    text += "  " +
            paint.dim(fmt::format("... and {} more (--top 0 shows all)",
                                  summary.functions.size() - count)) +
            "\n";
  }
  return text;
}

std::string hot_stacks(const Recording& recording, const StackSummary& summary,
                       const ReportOptions& options, const Paint& paint) {
  std::size_t count = summary.stacks.size();
  if (options.top_stacks > 0) count = std::min(count, options.top_stacks);
  TextTable table({{"share"}, {"samples"}, {"top stacks, leaf < caller", Align::kLeft}});
  const std::size_t room = options.width > 60 ? options.width - 20 : 40;
  for (const StackCount& stack : std::span(summary.stacks).first(count)) {
    const Stack& shown = recording.stacks[stack.stack];
    table.add_row({share(stack.count, summary.samples), std::to_string(stack.count),
                   stack_line(recording, shown.frames, shown.truncated, room, options.lines)});
  }
  return table.write(options.width, paint, 40);
}

std::string trust(const StackSummary& summary) {
  return fmt::format("  stacks: {} reach the thread's start, {} cut, {} with unnamed frames\n",
                     share(summary.reaching_start, summary.with_user),
                     share(summary.truncated, summary.samples),
                     share(summary.unresolved_any, summary.samples));
}

}  // namespace

std::string text_cpu(const Recording& recording, const ReportOptions& options, const Paint& paint) {
  const std::string title = paint.bold("CPU");
  if (recording.sample_hz == 0 && recording.cpu.empty()) {
    return title + "  sampling was off: record with -F HZ\n";
  }
  const bool slow = options.samples == SampleSet::kSlow;
  const StackSummary summary = summarize_stacks(recording, options.samples);
  if (summary.samples == 0 && slow) return title + "  no samples inside slow calls\n";
  if (summary.samples == 0) {
    return title + fmt::format("  no samples at {} Hz: the process was never on CPU\n",
                               recording.sample_hz);
  }
  return title + headline(recording, summary, slow) +
         hot_functions(recording, summary, options, paint) + "\n" +
         hot_stacks(recording, summary, options, paint) + trust(summary);
}

}  // namespace callscope
