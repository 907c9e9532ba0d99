// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/slow_calls.hpp"
#include "report/frame_label.hpp"
#include "report/function_columns.hpp"
#include "report/plain_text.hpp"
#include "report/text_sections.hpp"
#include "report/thread_name.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

std::uint64_t on_cpu_ns(std::uint64_t whole_ns, std::uint64_t blocked_ns, std::uint64_t runq_ns) {
  const std::uint64_t off_ns = blocked_ns + runq_ns;
  return whole_ns > off_ns ? whole_ns - off_ns : 0;
}

// "args 0x7f00deadbeef, ?, 0x10"; empty when none is known.
std::string args_text(const SlowCall& call) {
  if (std::ranges::none_of(call.args, [](const auto& arg) { return arg.has_value(); })) return {};
  std::string text = "args";
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    text += (i == 0 ? " " : ", ") + (call.args[i] ? fmt::format("{:#x}", *call.args[i]) : "?");
  }
  return text;
}

// "from handle_request < main", innermost caller first; empty when there is no stack.
std::string callers_text(const Recording& recording, const SlowCall& call, std::size_t width) {
  if (!call.stack) return {};
  const Stack& stack = recording.stacks[*call.stack];
  std::string text;
  // First the function itself, before it perhaps what is inlined at its entry.
  std::size_t own = 0;
  while (own < stack.frames.size() && recording.frames[stack.frames[own]].inlined()) ++own;
  for (std::size_t i = own + 1; i < stack.frames.size() && text.size() < 4 * width; ++i) {
    text += (text.empty() ? "from " : " < ") +
            printable(frame_label(recording, recording.frames[stack.frames[i]]));
  }
  if (stack.truncated && !text.empty()) text += " < ...";
  return cut_end(text, width);
}

std::vector<std::string> notes_of(const Recording& recording, const SlowCall& call,
                                  std::size_t width) {
  std::vector<std::string> notes;
  for (const std::string& note : {callers_text(recording, call, width), args_text(call)}) {
    if (!note.empty()) notes.push_back(note);
  }
  return notes;
}

std::string by_function(const Recording& recording, const ReportOptions& options,
                        const Paint& paint) {
  TextTable table({{"calls"},
                   {"sum"},
                   {"longest"},
                   {"on-cpu"},
                   {"blocked"},
                   {"runq"},
                   {"function", Align::kLeft}});
  for (const SlowFunction& f : slow_functions(recording)) {
    table.add_row({std::to_string(f.calls), format_ns(f.sum_ns), format_ns(f.max_ns),
                   format_ns(on_cpu_ns(f.sum_ns, f.blocked_ns, f.runq_ns)), format_ns(f.blocked_ns),
                   format_ns(f.runq_ns),
                   function_label(recording, recording.functions[f.function])});
  }
  return table.write(options.width, paint, 24) + "\n";
}

}  // namespace

std::string text_slow_calls(const Recording& recording, const ReportOptions& options,
                            const Paint& paint) {
  const std::string title = paint.bold("SLOW CALLS");
  if (recording.slow_calls.empty()) {
    const bool watched = std::ranges::find(recording.quality, "slow_calls_dropped",
                                           &QualityItem::key) != recording.quality.end();
    return title + (watched
                        ? "  none: no call took as long as record --slow said; names that match "
                          "nothing are in the notes\n"
                        : "  none was logged: choose what is slow with record --slow "
                          "'GLOB>10ms'\n");
  }
  const std::vector<const SlowCall*> calls = slowest_calls(recording);
  std::size_t shown = calls.size();
  if (options.top_cpu_functions > 0) shown = std::min(shown, options.top_cpu_functions);
  const ThreadNames threads(recording);
  std::string text = title + fmt::format("  {} logged, the slowest first\n", calls.size());
  text += by_function(recording, options, paint);
  TextTable table({{"at"},
                   {"duration"},
                   {"on-cpu"},
                   {"blocked"},
                   {"runq"},
                   {"thread", Align::kLeft},
                   {"function", Align::kLeft}});
  const std::size_t room = options.width > 30 ? options.width - 10 : 20;
  for (std::size_t i = 0; i < shown; ++i) {
    const SlowCall& call = *calls[i];
    table.add_row({format_ns(call.t_ns), format_ns(call.duration_ns),
                   format_ns(on_cpu_ns(call.duration_ns, call.blocked_ns, call.runq_ns)),
                   format_ns(call.blocked_ns), format_ns(call.runq_ns),
                   threads.label(call.pid, call.tid),
                   function_label(recording, recording.functions[call.function])});
    table.set_notes(i, notes_of(recording, call, room));
  }
  text += table.write(options.width, paint, 24);
  if (shown < calls.size())
    text += "  " +
            paint.dim(fmt::format("... and {} more (--top 0 shows all)", calls.size() - shown)) +
            "\n";
  return text;
}

}  // namespace callscope
