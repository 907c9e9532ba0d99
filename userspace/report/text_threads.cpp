// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>

#include "model/thread_table.hpp"
#include "report/function_columns.hpp"
#include "report/text_sections.hpp"
#include "report/thread_name.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

constexpr std::size_t kTopOfThread = 5;

std::uint64_t on_cpu_ns(const CallSums& s) {
  const std::uint64_t off_ns = s.blocked_ns + s.runq_ns;
  return s.total_ns > off_ns ? s.total_ns - off_ns : 0;
}

void add_thread(TextTable& table, const Recording& recording, const ThreadRow& thread,
                const std::string& label, bool all) {
  table.add_row({"", "", format_ns(thread.in_calls_ns), "", "", "", "",
                 fmt::format("{}, {} samples", label, thread.samples)});
  const std::size_t shown =
      all ? thread.functions.size() : std::min(thread.functions.size(), kTopOfThread);
  for (const ThreadFunction& f : std::span(thread.functions).first(shown)) {
    const CallSums& s = f.sums;
    table.add_row({std::to_string(s.calls), format_ns(s.total_ns), format_ns(s.self_ns),
                   format_ns(on_cpu_ns(s)), format_ns(s.blocked_ns), format_ns(s.runq_ns),
                   format_ns(s.max_ns),
                   "  " + function_label(recording, recording.functions[f.function])});
  }
  if (shown < thread.functions.size()) {
    table.add_row({"", "", "", "", "", "", "",
                   fmt::format("  ... and {} more", thread.functions.size() - shown)});
  }
}

// Without a tree by thread there are still the samples.
std::string threads_on_cpu(const Recording& recording, const ReportOptions& options,
                           const Paint& paint) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::uint64_t> samples;
  std::uint64_t all = 0;
  for (const CpuSamples& s : recording.cpu) {
    samples[{s.pid, s.tid}] += s.count;
    all += s.count;
  }
  std::vector<std::pair<std::uint64_t, std::string>> rows;
  const ThreadNames names(recording);
  for (const auto& [id, count] : samples)
    rows.emplace_back(count, names.label(id.first, id.second));
  std::ranges::stable_sort(rows, std::greater{}, &std::pair<std::uint64_t, std::string>::first);
  TextTable table({{"samples"}, {"on CPU"}, {"thread", Align::kLeft}});
  for (const auto& [count, label] : rows) {
    table.add_row({std::to_string(count),
                   format_percent(static_cast<double>(count), static_cast<double>(all)), label});
  }
  return rows.empty() ? std::string() : table.write(options.width, paint, 30);
}

}  // namespace

std::string text_threads(const Recording& recording, const ReportOptions& options,
                         const Paint& paint) {
  const std::string title = paint.bold("THREADS");
  const std::vector<ThreadRow> threads = thread_table(recording);
  if (threads.empty()) {
    return title + "  calls were not kept by thread (record with --per-thread)\n" +
           threads_on_cpu(recording, options, paint);
  }
  TextTable table({{"calls"},
                   {"total"},
                   {"self"},
                   {"on-cpu", Align::kRight, false, 2},
                   {"blocked", Align::kRight, false, 1},
                   {"runq", Align::kRight, false, 4},
                   {"max", Align::kRight, false, 3},
                   {"thread, function", Align::kLeft}});
  const ThreadNames names(recording);
  std::size_t shown = threads.size();
  if (options.top_functions > 0) shown = std::min(shown, options.top_functions);
  for (const ThreadRow& thread : std::span(threads).first(shown)) {
    add_thread(table, recording, thread, names.label(0, thread.tid), options.top_functions == 0);
  }
  table.fit(options.width, 36);
  std::string text = title +
                     fmt::format("  {} with probed calls, by time in them\n", threads.size()) +
                     table.write(options.width, paint, 24);
  if (shown < threads.size())
    text += "  " +
            paint.dim(fmt::format("... and {} more (--top 0 shows all)", threads.size() - shown)) +
            "\n";
  return text;
}

}  // namespace callscope
