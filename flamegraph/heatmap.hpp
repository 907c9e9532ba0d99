// SPDX-License-Identifier: Apache-2.0
// Latency over time as one self-contained SVG, a panel for each series: time from left to right,
// latency upwards on a logarithmic scale, colour by how many calls a cell holds. A still picture
// with tooltips; no script. Knows only numbers and labels; labels may hold any bytes. Pure
// functions; cannot fail. Equal input gives equal bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace callscope {

// A line over the cells, such as a percentile.
struct HeatLine {
  std::string label;
  std::vector<std::optional<std::uint64_t>> values_ns;  // one for each column; absent: a gap
};

struct HeatPanel {
  std::string title;
  std::string subtitle;
  std::uint32_t first_second = 0;
  std::uint32_t seconds_per_column = 1;
  std::vector<std::uint64_t> row_low_ns;  // ascending: lower bound of each row, end of the last one
  std::vector<std::uint64_t> counts;      // column by column, in each the rows from low to high
  std::vector<HeatLine> lines;            // at most 2
};

struct HeatMapOptions {
  std::string title = "Latency over time";
  std::string subtitle;            // may be empty
  double width_px = 1200;          // of the whole picture
  std::vector<std::string> notes;  // one line each below the panels
};

std::string render_heat_map_svg(std::span<const HeatPanel> panels, const HeatMapOptions& options);

}  // namespace callscope
