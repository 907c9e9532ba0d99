// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/function_table.hpp"
#include "report/exit_mode.hpp"
#include "report/frame_label.hpp"
#include "report/plain_text.hpp"
#include "report/text_sections.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

std::string count_or_blank(std::uint64_t count) {
  return count == 0 ? std::string() : std::to_string(count);
}

// Functions of libraries read as -f takes them: "libc.so.6:malloc".
std::string function_label(const Recording& recording, const FunctionStats& function) {
  const Module& module = recording.modules[function.module];
  const std::string name = printable(function.name);
  if (module.path == recording.target.exe) return name;
  return printable(module_label(module)) + ":" + name;
}

void add_function(TextTable& table, const Recording& recording, const FunctionRow& row) {
  const FunctionStats& f = *row.stats;
  table.add_row(
      {std::to_string(f.calls), format_ns(row.total_ns), format_ns(row.self_ns),
       format_ns(row.avg_ns), format_ns(row.p50_ns), format_ns(row.p99_ns), format_ns(row.p999_ns),
       format_ns(row.max_ns), count_or_blank(f.unwound), count_or_blank(f.running),
       count_or_blank(f.exit == ExitMode::kEntryOnly ? 0 : f.untimed), count_or_blank(f.tail_exits),
       format_ns(f.probe_cost_ns) + (row.costly ? "!" : " "), std::string(exit_mode_name(f.exit)),
       function_label(recording, f)},
      row.costly);
}

std::string legend(const std::vector<FunctionRow>& shown, std::size_t hidden, const Paint& paint) {
  std::string text;
  const auto line = [&](const std::string& words) { text += "  " + paint.dim(words) + "\n"; };
  if (hidden > 0) line(fmt::format("... and {} more (--top 0 shows all)", hidden));
  if (std::ranges::any_of(shown, &FunctionRow::costly)) {
    line("! the probes cost more than 20 % of the average call: the times include a part of it");
  }
  if (std::ranges::any_of(shown, [](const FunctionRow& row) { return !row.total_ns; })) {
    line("- no call was timed: none returned, or only entries are counted");
  }
  const auto cut = [](const FunctionRow& row) { return row.stats->tail_exits > 0; };
  if (std::ranges::any_of(shown, cut)) {
    line("cut: calls that ended in a tail call of a function not probed; its time is missing");
  }
  return text;
}

}  // namespace

std::string text_functions(const Recording& recording, const ReportOptions& options,
                           const Paint& paint) {
  if (recording.functions.empty()) {
    return paint.bold("FUNCTIONS") +
           "  none probed: choose some with record -f GLOB (callscope list shows which there "
           "are)\n";
  }
  const std::vector<FunctionRow> all = function_table(recording, options.sort);
  const auto called = [](const FunctionRow& row) { return row.stats->calls > 0; };
  std::vector<FunctionRow> shown;
  std::ranges::copy_if(all, std::back_inserter(shown), called);
  const std::size_t never = all.size() - shown.size();

  std::string text =
      paint.bold("FUNCTIONS") + fmt::format("  {} probed ({}), {} called, by {}\n", all.size(),
                                            recording.probe_mechanism.empty()
                                                ? "mechanism unknown"
                                                : printable(recording.probe_mechanism),
                                            shown.size(), printable(options.sort));
  if (shown.empty()) return text + "  no probed function was called while recording\n";

  std::size_t hidden = 0;
  if (options.top_functions > 0 && shown.size() > options.top_functions) {
    hidden = shown.size() - options.top_functions;
    shown.resize(options.top_functions);
  }
  TextTable table({{"calls"},
                   {"total"},
                   {"self"},
                   {"avg"},
                   {"p50"},
                   {"p99"},
                   {"p99.9"},
                   {"max"},
                   {"unwound", Align::kRight, true},
                   {"running", Align::kRight, true},
                   {"untimed", Align::kRight, true},
                   {"cut", Align::kRight, true},
                   {"probes ", Align::kRight},
                   {"exit", Align::kLeft},
                   {"function", Align::kLeft}});
  for (const FunctionRow& row : shown) add_function(table, recording, row);
  text += table.write(options.width, paint, 21) + legend(shown, hidden, paint);
  if (never > 0) text += fmt::format("  {} never called\n", never);
  return text;
}

}  // namespace callscope
