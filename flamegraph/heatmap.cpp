// SPDX-License-Identifier: Apache-2.0
#include "flamegraph/heatmap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "flamegraph/assets.hpp"
#include "flamegraph/heatmap_axis.hpp"
#include "flamegraph/svg_metrics.hpp"
#include "flamegraph/weight.hpp"
#include "flamegraph/xml_text.hpp"

namespace callscope {
namespace {

constexpr double kYLabels = 64;     // room for "100 ms" to the left of a plot
constexpr double kTickPx = 70;      // least distance of two seconds on the time axis
constexpr double kTickGapPx = 12;   // of two labels on the latency axis
constexpr double kPlotPx = 190;     // height that a plot aims at
constexpr std::size_t kShades = 9;  // classes h1 to h9 of heatmap.css

std::string safe(std::string_view text) { return xml_escape(clean_text(text)); }

// Cut to the room that there is, the whole in a tooltip.
std::string fitted(std::string_view text, double room_px, double char_px = kTextChar) {
  const std::string clean = clean_text(text);
  const std::string fit =
      fit_text(clean, static_cast<std::size_t>(std::max(0.0, room_px) / char_px));
  return xml_escape(fit) + (fit == clean ? "" : "<title>" + xml_escape(clean) + "</title>");
}

// 1 for a single call, kShades for the fullest cell; equal steps on a logarithmic scale.
std::size_t shade_of(std::uint64_t count, std::uint64_t largest) {
  if (largest <= 1) return kShades;
  const double share =
      std::log(static_cast<double>(count)) / std::log(static_cast<double>(largest));
  return 1 + static_cast<std::size_t>(share * static_cast<double>(kShades - 1) + 0.5);
}

class PanelWriter {
 public:
  PanelWriter(const HeatPanel& panel, double top, double width_px)
      : panel_(panel),
        rows_(panel.row_low_ns.size() - 1),
        columns_(panel.counts.size() / rows_),
        row_px_(std::clamp(kPlotPx / static_cast<double>(rows_), 2.0, 16.0)),
        left_(kPad + kYLabels),
        width_(std::max(50.0, width_px - 2 * kPad - kYLabels)),
        column_px_(width_ / static_cast<double>(columns_)),
        top_(top + kLine + 12),
        bottom_(top_ + row_px_ * static_cast<double>(rows_)),
        largest_(std::ranges::max(panel.counts)) {}

  [[nodiscard]] double end() const { return bottom_ + 46; }

  std::string write() {
    std::string svg = "<g class=\"panel\">\n" + heading();
    svg += fmt::format(
        "<rect class=\"plot\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
        left_, top_, width_, bottom_ - top_);
    svg += latency_axis() + time_axis() + cells();
    for (std::size_t i = 0; i < panel_.lines.size(); ++i) svg += line(panel_.lines[i], i);
    return svg + "</g>\n";
  }

 private:
  [[nodiscard]] double x_of(double column) const { return left_ + column * column_px_; }
  [[nodiscard]] double y_of(double row) const { return bottom_ - row * row_px_; }

  // Title and subtitle on the left, the keys of lines and colours on the right.
  [[nodiscard]] std::string heading() const {
    const double baseline = top_ - 12;
    const double right = left_ + width_;
    constexpr double kNameChar = 8;
    constexpr double kKeysPx = 400;
    const double room = right - kPad - kKeysPx;
    const std::string name = clean_text(panel_.title);
    std::string svg = fmt::format("<text class=\"name\" x=\"{}\" y=\"{:.1f}\">{}</text>\n", kPad,
                                  baseline, fitted(name, room, kNameChar));
    const double used = kPad + static_cast<double>(name.size()) * kNameChar + 14;
    if (used < room) {
      svg += fmt::format("<text class=\"muted\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", used,
                         baseline, fitted(panel_.subtitle, room - used + kPad));
    }
    return svg + keys(right, baseline);
  }

  [[nodiscard]] std::string keys(double right, double baseline) const {
    constexpr double kSwatchPx = 14;
    const std::string most = format_count(largest_) + " calls a cell";
    double x = right - static_cast<double>(most.size()) * 6.3;
    std::string svg = fmt::format(
        "<text class=\"muted right\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", right, baseline, most);
    x -= kSwatchPx * kShades + 8;
    for (std::size_t shade = 1; shade <= kShades; ++shade) {
      svg += fmt::format(
          "<rect class=\"h{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" height=\"10\"/>\n", shade,
          x + kSwatchPx * static_cast<double>(shade - 1), baseline - 9, kSwatchPx);
    }
    svg += fmt::format("<text class=\"muted right\" x=\"{:.1f}\" y=\"{:.1f}\">1</text>\n", x - 6,
                       baseline);
    x -= 36;
    for (std::size_t i = panel_.lines.size(); i-- > 0;) {
      x -= static_cast<double>(panel_.lines[i].label.size()) * kTextChar;
      svg += fmt::format("<text class=\"muted\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x, baseline,
                         safe(panel_.lines[i].label));
      svg += fmt::format("<path class=\"line l{}\" d=\"M{:.1f} {:.1f}h20\"/>\n", i, x - 26,
                         baseline - 4);
      x -= 44;
    }
    return svg;
  }

  [[nodiscard]] std::string latency_axis() const {
    std::string svg;
    double last_y = bottom_ + 2 * kTickGapPx;
    for (const HeatTick& tick :
         latency_ticks(panel_.row_low_ns.front(), panel_.row_low_ns.back())) {
      const double y = y_of(row_position(panel_.row_low_ns, tick.value));
      if (last_y - y < kTickGapPx) continue;
      last_y = y;
      svg += fmt::format(
          "<path class=\"grid\" d=\"M{:.1f} {:.1f}h{:.1f}\"/>"
          "<text class=\"tick y\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
          left_ - 4, y, width_ + 4, left_ - 8, y + 4, tick.label);
    }
    return svg;
  }

  [[nodiscard]] std::string time_axis() const {
    const std::uint64_t seconds = std::uint64_t{columns_} * panel_.seconds_per_column;
    const auto most = static_cast<std::size_t>(std::max(2.0, width_ / kTickPx));
    std::string svg;
    for (const HeatTick& tick : time_ticks(seconds, most)) {
      const double x =
          x_of(static_cast<double>(tick.value) / static_cast<double>(panel_.seconds_per_column));
      // The last label must not leave the picture.
      const bool at_end = x > left_ + width_ - kTickGapPx;
      svg += fmt::format(
          "<path class=\"grid\" d=\"M{:.1f} {:.1f}v4\"/>"
          "<text class=\"tick {}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
          x, bottom_, at_end ? "right" : "x", x, bottom_ + 16,
          time_label(tick.value + panel_.first_second));
    }
    return svg;
  }

  [[nodiscard]] std::string tooltip(std::size_t column, std::size_t row, std::uint64_t count,
                                    std::uint64_t in_column) const {
    const std::uint64_t from =
        panel_.first_second + std::uint64_t{column} * panel_.seconds_per_column;
    return fmt::format("{} to {}, {} to {}\n{} call{}, {} of this column", time_label(from),
                       time_label(from + panel_.seconds_per_column),
                       latency_label(panel_.row_low_ns[row]),
                       latency_label(panel_.row_low_ns[row + 1]), format_count(count),
                       count == 1 ? "" : "s", format_share(count, in_column));
  }

  [[nodiscard]] std::string cells() const {
    std::string svg = "<g class=\"cells\">\n";
    for (std::size_t column = 0; column < columns_; ++column) {
      const std::uint64_t* const counts = panel_.counts.data() + column * rows_;
      std::uint64_t in_column = 0;
      for (std::size_t row = 0; row < rows_; ++row) in_column += counts[row];
      for (std::size_t row = 0; row < rows_; ++row) {
        if (counts[row] == 0) continue;
        fmt::format_to(std::back_inserter(svg),
                       "<rect class=\"h{}\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" "
                       "height=\"{:.2f}\"><title>{}</title></rect>\n",
                       shade_of(counts[row], largest_), x_of(static_cast<double>(column)),
                       y_of(static_cast<double>(row + 1)), column_px_, row_px_,
                       tooltip(column, row, counts[row], in_column));
      }
    }
    return svg + "</g>\n";
  }

  // Steps, each as wide as its column; columns next to each other are joined.
  [[nodiscard]] std::string line(const HeatLine& line, std::size_t index) const {
    std::string path;
    bool joined = false;
    const std::size_t count = std::min(columns_, line.values_ns.size());
    for (std::size_t column = 0; column < count; ++column) {
      const std::optional<std::uint64_t>& value = line.values_ns[column];
      if (value) {
        const double y = y_of(row_position(panel_.row_low_ns, *value));
        if (joined) {
          path += fmt::format("V{:.1f}", y);
        } else {
          path += fmt::format("M{:.1f} {:.1f}", x_of(static_cast<double>(column)), y);
        }
        path += fmt::format("H{:.1f}", x_of(static_cast<double>(column + 1)));
      }
      joined = value.has_value();
    }
    if (path.empty()) return {};
    return fmt::format("<path class=\"halo\" d=\"{0}\"/>\n<path class=\"line l{1}\" d=\"{0}\"/>\n",
                       path, index);
  }

  const HeatPanel& panel_;
  std::size_t rows_;
  std::size_t columns_;
  double row_px_;
  double left_;
  double width_;
  double column_px_;
  double top_;  // of the plot
  double bottom_;
  std::uint64_t largest_;
};

bool drawable(const HeatPanel& panel) {
  const std::size_t bounds = panel.row_low_ns.size();
  return bounds >= 2 && !panel.counts.empty() && panel.counts.size() % (bounds - 1) == 0 &&
         panel.seconds_per_column > 0;
}

}  // namespace

std::string render_heat_map_svg(std::span<const HeatPanel> panels, const HeatMapOptions& options) {
  const double room = options.width_px - 2 * kPad;
  double y = 34;
  std::string body = fmt::format("<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>\n", kPad, y,
                                 fitted(options.title, room, 10));
  const auto muted = [&](std::string_view text) {
    y += kLine;
    body += fmt::format("<text class=\"muted\" x=\"{}\" y=\"{:.1f}\">{}</text>\n", kPad, y,
                        fitted(text, room));
  };
  if (!options.subtitle.empty()) muted(options.subtitle);
  y += 14;
  for (const HeatPanel& panel : panels) {
    if (!drawable(panel)) continue;
    PanelWriter writer(panel, y, options.width_px);
    body += writer.write();
    y = writer.end();
  }
  for (const std::string& note : options.notes) muted(note);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"cshm\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n<title>{2}</title>\n"
      "<style><![CDATA[\n{3}]]></style>\n<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n"
      "{4}</svg>\n",
      options.width_px, y + kPad, safe(options.title), kHeatmapCss, body);
}

}  // namespace callscope
