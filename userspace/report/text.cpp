// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/wait.h>

#include <set>
#include <string>

#include "model/quality.hpp"
#include "report/plain_text.hpp"
#include "report/renderer.hpp"
#include "report/text_sections.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

std::string header_line(std::string_view label, std::string_view value, std::size_t width) {
  constexpr std::size_t kLabelWidth = 12;
  if (value.empty()) return {};
  const std::size_t room = std::max<std::size_t>(40, width - std::min(width, kLabelWidth + 2));
  return fmt::format("  {:<{}}{}\n", label, kLabelWidth, cut_end(printable(value), room));
}

std::string how_it_ended(const Recording& recording) {
  const Target& target = recording.target;
  if (!recording.finished) return "recorder was killed or still records";
  std::string text = "ended by " + (target.ended_by.empty() ? "unknown cause" : target.ended_by);
  if (!target.exit_status) return text;
  const int status = *target.exit_status;
  if (WIFEXITED(status)) return text + fmt::format(" with status {}", WEXITSTATUS(status));
  if (WIFSIGNALED(status)) return text + fmt::format(" by signal {}", WTERMSIG(status));
  return text;
}

std::string modules_with_probes(const Recording& recording, std::size_t width) {
  std::set<std::uint32_t> modules;
  for (const FunctionStats& function : recording.functions) modules.insert(function.module);
  std::string text;
  for (const std::uint32_t id : modules) {
    const Module& module = recording.modules[id];
    if (module.path == recording.target.exe) continue;  // the header has it
    const std::string build_id =
        module.build_id.empty() ? "no build-id" : "build-id " + module.build_id;
    text += header_line("module", module.path + "  " + build_id, width);
  }
  return text;
}

// "redis-rdb-bgsave (4250), child of 4242, from 2.50s, not timed"; the target stands above.
std::string other_processes(const Recording& recording, std::size_t width) {
  constexpr std::size_t kMost = 5;
  std::string text;
  std::size_t others = 0;
  for (const ProcessInfo& process : recording.processes) {
    if (process.pid == recording.target.pid || ++others > kMost) continue;
    std::string line = fmt::format("{} ({})", process.comm, process.pid);
    if (process.parent_pid != 0) line += fmt::format(", child of {}", process.parent_pid);
    line += fmt::format(", from {}{}", format_ns(process.since_ns),
                        process.timed ? "" : ", sampled only");
    text += header_line("process", line, width);
  }
  if (others > kMost) text += header_line("", fmt::format("and {} more", others - kMost), width);
  return text;
}

}  // namespace

std::string text_header(const Recording& recording, const ReportOptions& options,
                        const Paint& paint) {
  const Target& target = recording.target;
  const Host& host = recording.host;
  const std::size_t width = options.width;
  std::string text = paint.bold(fmt::format(
                         "callscope {}: {} (pid {}), {}", printable(recording.tool_version),
                         printable(target.comm), target.pid, format_ns(recording.duration_ns))) +
                     "\n";
  text += header_line("executable", target.exe, width);
  text += header_line("build-id", target.build_id.empty() ? "none" : target.build_id, width);
  text += header_line("command", target.cmdline, width);
  text += modules_with_probes(recording, width);
  text += other_processes(recording, width);
  text += header_line(
      "host",
      fmt::format("{}, Linux {} {}, {} CPUs, {} memory", host.hostname, host.kernel, host.machine,
                  host.cpus, format_bytes(static_cast<double>(host.memory_bytes))),
      width);
  text += header_line("cpu", host.cpu_model, width);
  text += header_line("recorded",
                      fmt::format("{}, {}, {}", format_utc(recording.start_unix_ns),
                                  format_ns(recording.duration_ns), how_it_ended(recording)),
                      width);
  return text;
}

namespace {

// "  0: ring_full, stack_table_full, ..." over as many lines as it takes.
std::string zero_lines(const std::vector<std::string>& keys, std::size_t width) {
  std::string text;
  std::string line = "  0:";
  for (const std::string& key : keys) {
    if (line.size() + key.size() + 2 > width) {
      text += line + "\n";
      line = "    ";
    }
    line += " " + key + (&key == &keys.back() ? "" : ",");
  }
  return text + line + "\n";
}

}  // namespace

std::string text_quality(const Recording& recording, const ReportOptions& options,
                         const Paint& paint) {
  const std::vector<QualityItem> items = quality_items(recording);
  const std::vector<std::string> reasons = incompleteness(items);
  TextTable table({{"value"}, {"item", Align::kLeft}, {"meaning", Align::kLeft}});
  std::vector<std::string> zeros;
  for (const QualityItem& item : items) {
    if (item.value == 0) {
      zeros.push_back(printable(item.key));
      continue;
    }
    table.add_row({std::to_string(item.value), printable(item.key), printable(item.meaning)},
                  item.loss && item.value > 0);
  }
  std::string text = paint.bold("QUALITY") + "\n" + table.write(options.width, paint, 60);
  if (!zeros.empty()) text += paint.dim(zero_lines(zeros, options.width));
  if (reasons.empty()) return text + "  " + paint.green("complete: nothing was lost") + "\n";
  for (const std::string& reason : reasons) {
    text += "  " + paint.red("INCOMPLETE: " + printable(reason)) + "\n";
  }
  return text;
}

std::string render_text(const Recording& recording, const ReportOptions& options) {
  const Paint paint(options.color);
  std::string text = text_header(recording, options, paint);
  text += "\n" + text_functions(recording, options, paint);
  if (options.callers) text += "\n" + text_callers(recording, options, paint);
  if (options.histogram) text += "\n" + text_histograms(recording, options, paint);
  if (options.heatmap) text += "\n" + text_heat_maps(recording, options, paint);
  if (options.slow) text += "\n" + text_slow_calls(recording, options, paint);
  if (options.per_thread) text += "\n" + text_threads(recording, options, paint);
  text += text_spans(recording, options, paint);
  text += "\n" + text_cpu(recording, options, paint);
  text += text_waits(recording, options, paint);
  text += text_faults(recording, options, paint);
  text += "\n" + text_resources(recording, options, paint);
  if (!recording.notes.empty()) {
    text += "\n" + paint.bold("NOTES") + "\n";
    for (const std::string& note : recording.notes) text += "  - " + printable(note) + "\n";
  }
  text += "\n" + text_quality(recording, options, paint);
  return text;
}

}  // namespace callscope
