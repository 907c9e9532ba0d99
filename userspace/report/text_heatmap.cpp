// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "model/latency_map.hpp"
#include "report/function_columns.hpp"
#include "report/name_filter.hpp"
#include "report/plain_text.hpp"
#include "report/text_sections.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

constexpr std::size_t kDefaultHeatMaps = 3;  // of functions without a glob
constexpr std::size_t kLabelWidth = 10;
constexpr std::string_view kShades = " .:-=+*#%@";
constexpr std::size_t kLevels = kShades.size() - 1;

// The smallest count of a level from 1 to kLevels: equal steps on a logarithmic scale.
std::uint64_t level_low(std::size_t level, std::uint64_t largest) {
  const double steps = static_cast<double>(level - 1) / static_cast<double>(kLevels);
  return static_cast<std::uint64_t>(std::ceil(std::pow(static_cast<double>(largest), steps)));
}

std::size_t level_of(std::uint64_t count, std::uint64_t largest) {
  std::size_t level = 0;
  while (level < kLevels && count >= level_low(level + 1, largest)) ++level;
  return level;
}

std::string cell(std::size_t level, const Paint& paint) {
  return paint.heat(level, kShades.substr(level, 1));
}

std::string row_text(const LatencyMap& map, std::size_t row, const Paint& paint) {
  std::string text = fmt::format("{:>{}} |", format_ns(map.row_low_ns[row]), kLabelWidth);
  for (std::size_t column = 0; column < map.columns(); ++column) {
    const std::uint64_t count = map.at(column, row);
    text += count == 0 ? " " : cell(level_of(count, map.largest), paint);
  }
  return text + "|\n";
}

// Seconds below the columns, as far apart as their numbers need.
std::string time_axis(const LatencyMap& map) {
  constexpr std::size_t kEvery = 10;
  std::string text(kLabelWidth + 2, ' ');
  for (std::size_t column = 0; column < map.columns(); column += kEvery) {
    text.resize(kLabelWidth + 2 + column, ' ');
    text += fmt::format("{}s", column * map.seconds_per_column);
  }
  return text + "\n";
}

std::string shade_legend(const LatencyMap& map, const Paint& paint) {
  std::string text = fmt::format("{:>{}}  ", "calls", kLabelWidth);
  std::uint64_t before = 0;
  for (std::size_t level = 1; level <= kLevels; ++level) {
    const std::uint64_t low = level_low(level, map.largest);
    if (low == before || low > map.largest) continue;
    before = low;
    text += cell(level_of(low, map.largest), paint) + fmt::format(" {}  ", low);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + " or more\n";
}

std::string map_text(const Recording& recording, std::uint32_t function, const LatencyMap& map,
                     std::size_t width, const Paint& paint) {
  const std::size_t name_width = width > 60 ? width - 40 : 20;
  std::string text =
      fmt::format("  {}  {} calls, a column is {} s\n",
                  cut_middle(function_label(recording, recording.functions[function]), name_width),
                  map.sum, map.seconds_per_column);
  for (std::size_t row = map.rows(); row-- > 0;) text += row_text(map, row, paint);
  return text + paint.dim(time_axis(map)) + shade_legend(map, paint);
}

}  // namespace

std::string text_heat_maps(const Recording& recording, const ReportOptions& options,
                           const Paint& paint) {
  const std::string& glob = *options.heatmap;
  std::string text = paint.bold("HEAT MAPS") +
                     "  latency from below to above (a row is a factor of 2) over time\n";
  const std::size_t limit = glob == "*" ? kDefaultHeatMaps : options.top_functions;
  const std::size_t room = options.width > 40 ? options.width - kLabelWidth - 4 : 26;
  std::size_t shown = 0;
  for (const std::uint32_t function : functions_with_latency(recording)) {
    if (limit > 0 && shown == limit) break;
    if (!function_matches(recording, recording.functions[function], glob)) continue;
    const LatencyMap map = latency_map(recording, function, room, 1);
    if (map.sum == 0) continue;
    text += shown++ > 0 ? "\n" : "";
    text += map_text(recording, function, map, options.width, paint);
  }
  if (shown == 0)
    text += "  no latency over time was kept of a function that matches " + printable(glob) + "\n";
  return text;
}

}  // namespace callscope
