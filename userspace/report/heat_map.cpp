// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <string>
#include <vector>

#include "flamegraph/heatmap.hpp"
#include "model/latency_map.hpp"
#include "model/quality.hpp"
#include "report/function_columns.hpp"
#include "report/name_filter.hpp"
#include "report/plain_text.hpp"
#include "report/renderer.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

constexpr std::size_t kDefaultPanels = 5;  // of functions without a glob
constexpr std::size_t kMaxColumns = 300;
constexpr std::uint32_t kRowsPerOctave = 4;

HeatPanel panel_of(const Recording& recording, std::uint32_t function, const LatencyMap& map) {
  const FunctionStats& f = recording.functions[function];
  HeatPanel panel;
  panel.title = function_label(recording, f);
  panel.subtitle = fmt::format("{} calls, total {}, longest {}", map.sum, format_ns(f.total_ns),
                               format_ns(f.max_ns));
  panel.first_second = map.first_second;
  panel.seconds_per_column = map.seconds_per_column;
  panel.row_low_ns = map.row_low_ns;
  panel.counts = map.counts;
  panel.lines = {{"p50", map.p50_ns}, {"p99", map.p99_ns}};
  return panel;
}

}  // namespace

std::string render_heat_map(const Recording& recording, const ReportOptions& options) {
  const std::string glob = options.heatmap.value_or("*");
  const std::size_t limit = glob == "*" ? kDefaultPanels : options.top_functions;
  std::vector<HeatPanel> panels;
  for (const std::uint32_t function : functions_with_latency(recording)) {
    if (limit > 0 && panels.size() == limit) break;
    if (!function_matches(recording, recording.functions[function], glob)) continue;
    const LatencyMap map = latency_map(recording, function, kMaxColumns, kRowsPerOctave);
    if (map.sum > 0) panels.push_back(panel_of(recording, function, map));
  }
  HeatMapOptions svg;
  svg.title = fmt::format("callscope: {} ({}) - latency over time, {:.1f} s",
                          printable(recording.target.comm), recording.target.pid,
                          static_cast<double>(recording.duration_ns) / 1e9);
  svg.subtitle = printable(recording.target.cmdline);
  if (panels.empty()) {
    svg.notes.push_back("No latency over time was recorded of a function that matches " +
                        printable(glob) + ".");
  }
  for (const std::string& reason : incompleteness(quality_items(recording))) {
    svg.notes.push_back("INCOMPLETE: " + printable(reason));
  }
  return render_heat_map_svg(panels, svg);
}

}  // namespace callscope
