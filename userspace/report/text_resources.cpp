// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "model/resource_summary.hpp"
#include "report/text_sections.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

std::string amount(double value, bool bytes) {
  return bytes ? format_bytes(value) : format_number(value);
}

std::string growth(const GaugeSummary& gauge) {
  if (!gauge.per_minute) return "-";
  const std::string text = amount(*gauge.per_minute, gauge.bytes);
  return text.front() == '-' || *gauge.per_minute == 0 ? text : "+" + text;
}

// "rss_bytes" reads as "rss", "fd_files" as "fd files".
std::string label_of(std::string_view name) {
  if (name.ends_with("_bytes")) name.remove_suffix(std::string_view("_bytes").size());
  std::string label(name);
  for (char& c : label) {
    if (c == '_') c = ' ';
  }
  return label;
}

// "minor faults 7/s, read 4.00KiB/s, ...", broken where a line is full.
std::string rates_lines(const ResourceSummary& summary, std::size_t width) {
  std::string text;
  std::string line;
  for (const RateSummary& rate : summary.rates) {
    if (!rate.per_second) continue;
    const std::string part =
        label_of(rate.name) + " " + amount(*rate.per_second, rate.bytes) + "/s";
    if (!line.empty() && line.size() + part.size() + 3 > width) {
      text += line + ",\n";
      line.clear();
    }
    line += (line.empty() ? "  " : ", ") + part;
  }
  return line.empty() ? text : text + line + "\n";
}

}  // namespace

std::string text_resources(const Recording& recording, const ReportOptions& options,
                           const Paint& paint) {
  const std::string title = paint.bold("RESOURCES");
  if (recording.snapshots.empty()) {
    return title + "  no snapshot was taken: the process ended before the first one\n";
  }
  const ResourceSummary summary = summarize_resources(recording.snapshots);
  std::string text =
      title + fmt::format("  {} snapshot{} over {}", recording.snapshots.size(),
                          recording.snapshots.size() == 1 ? "" : "s", format_ns(summary.span_ns));
  if (summary.cpu_user && summary.cpu_system) {
    text += fmt::format(", CPUs used: {:.2f} user + {:.2f} system", *summary.cpu_user,
                        *summary.cpu_system);
  }
  text += "\n";
  TextTable table({{"", Align::kLeft}, {"first"}, {"last"}, {"min"}, {"max"}, {"growth/min"}});
  for (const GaugeSummary& gauge : summary.gauges) {
    if (gauge.max == 0) continue;
    const auto cell = [&](std::uint64_t value) {
      return gauge.bytes ? format_bytes(static_cast<double>(value)) : std::to_string(value);
    };
    table.add_row({label_of(gauge.name), cell(gauge.first), cell(gauge.last), cell(gauge.min),
                   cell(gauge.max), growth(gauge)});
  }
  return text + table.write(options.width, paint) + rates_lines(summary, options.width);
}

}  // namespace callscope
