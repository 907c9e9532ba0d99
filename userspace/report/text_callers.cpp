// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>

#include "model/call_tree.hpp"
#include "report/frame_label.hpp"
#include "report/function_columns.hpp"
#include "report/name_filter.hpp"
#include "report/plain_text.hpp"
#include "report/text_sections.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

constexpr std::size_t kTopCallers = 5;

std::string label(const Recording& recording, const FunctionStats& function, bool with_line) {
  const std::string line = with_line ? line_label(function.file, function.line) : "";
  return function_label(recording, function) + (line.empty() ? "" : " " + printable(line));
}

std::string caller_label(const Recording& recording, std::uint32_t callee, const Caller& caller,
                         bool with_line) {
  if (!caller.function) return "(no probed function above)";
  if (*caller.function == callee) return "itself";
  return label(recording, recording.functions[*caller.function], with_line);
}

}  // namespace

std::string text_callers(const Recording& recording, const ReportOptions& options,
                         const Paint& paint) {
  const std::string title = paint.bold("CALLERS");
  if (recording.call_nodes.empty()) return title + "  the recording has no call tree\n";
  const auto functions = matching_functions(recording, *options.callers, options.top_functions);
  if (functions.empty())
    return title + "  no function matches " + printable(*options.callers) + "\n";
  const auto callers = callers_by_function(recording);
  TextTable table({{"calls"}, {"total"}, {"share"}, {"self"}, {"max"}, {"", Align::kLeft}});
  for (const std::uint32_t function : functions) {
    const FunctionStats& f = recording.functions[function];
    if (callers[function].empty()) continue;
    std::uint64_t total_ns = 0;
    for (const Caller& caller : callers[function]) total_ns += caller.sums.total_ns;
    table.add_row({std::to_string(f.returns), format_ns(f.total_ns), "", format_ns(f.self_ns),
                   format_ns(f.max_ns), label(recording, f, options.lines)});
    const std::span<const Caller> list(callers[function]);
    const std::size_t shown =
        options.top_functions == 0 ? list.size() : std::min(list.size(), kTopCallers);
    for (const Caller& caller : list.first(shown)) {
      const CallSums& s = caller.sums;
      table.add_row({std::to_string(s.calls), format_ns(s.total_ns),
                     format_percent(static_cast<double>(s.total_ns), static_cast<double>(total_ns)),
                     format_ns(s.self_ns), format_ns(s.max_ns),
                     "  < " + caller_label(recording, function, caller, options.lines)});
    }
    if (shown < list.size()) {
      table.add_row({"", "", "", "", "", fmt::format("  < {} more", list.size() - shown)});
    }
  }
  return title + "  of timed calls, by total\n" + table.write(options.width, paint, 30);
}

}  // namespace callscope
