// SPDX-License-Identifier: Apache-2.0
#include "flamegraph/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "flamegraph/assets.hpp"
#include "flamegraph/frame_kind.hpp"
#include "flamegraph/svg_metrics.hpp"
#include "flamegraph/svg_style.hpp"
#include "flamegraph/weight.hpp"
#include "flamegraph/xml_text.hpp"

namespace callscope {
namespace {

// Geometry in px; interact.js gets what it needs of it through the <metadata> element.
constexpr double kTitleBaseline = 34;
constexpr double kLabelChar = 6.65;  // advance of a monospaced 11 px font, the widest in use
constexpr double kLabelInset = 4;
constexpr double kLegendChar = 6.3;  // its average for short words

std::size_t columns_in(double width_px, double char_px) {
  return width_px <= 0 ? 0 : static_cast<std::size_t>(width_px / char_px);
}

class SvgWriter {
 public:
  SvgWriter(const FrameTree& tree, const SvgOptions& options)
      : tree_(tree),
        options_(options),
        style_(options.palette),
        details_baseline_(kTitleBaseline + (options.subtitle.empty() ? 0 : kLine) + kLine + 2),
        top_(details_baseline_ + 18),
        graph_width_(std::max(1.0, options.width_px - 2 * kPad)) {}

  std::string write() {
    select_frames();
    const double bottom = top_ + (drawn_depth_ + 1) * options_.frame_height_px;
    std::string frames;
    for (const std::uint32_t index : drawn_) append_frame(frames, tree_.nodes()[index], bottom);
    const std::string footer = write_footer(bottom + 14);

    std::string svg = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"csfg\" width=\"{0:.0f}\" "
        "height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n",
        options_.width_px, footer_bottom_);
    svg += "<title>" + xml_escape(clean_text(options_.title)) + "</title>\n";
    svg += style_.element();
    svg += write_metadata();
    svg += "<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n<g class=\"frames\">\n";
    svg += frames;
    svg += "</g>\n";
    svg += footer;
    svg += write_header();
    svg += fmt::format("<script><![CDATA[\n{}]]></script>\n</svg>\n", kInteractJs);
    return svg;
  }

 private:
  [[nodiscard]] double width_of(const FrameNode& node) const {
    if (tree_.total() == 0) return graph_width_;
    return graph_width_ * static_cast<double>(node.total) / static_cast<double>(tree_.total());
  }

  void select_frames() {
    const std::vector<FrameNode>& nodes = tree_.nodes();
    for (std::uint32_t i = 0; i < nodes.size();) {
      const FrameNode& node = nodes[i];
      if (i != 0 && width_of(node) < options_.min_width_px) {
        dropped_frames_ += node.end - i;
        dropped_weight_ += node.total;
        i = node.end;
        continue;
      }
      drawn_.push_back(i++);
      drawn_depth_ = std::max(drawn_depth_, node.depth);
    }
  }

  [[nodiscard]] std::string tooltip(const FrameNode& node) const {
    const std::string name = clean_text(tree_.name_of(node));
    std::string text =
        fmt::format("{}\n{}, {} of total", name, format_weight(node.total, options_.unit),
                    format_share(node.total, tree_.total()));
    if (node.self != 0) {
      text += fmt::format("\nself {}, {}", format_weight(node.self, options_.unit),
                          format_share(node.self, tree_.total()));
    }
    if (const auto hint = options_.hints.find(tree_.name_of(node)); hint != options_.hints.end())
      text += "\n" + clean_text(hint->second);
    return xml_escape(text);
  }

  void append_frame(std::string& out, const FrameNode& node, double bottom) {
    const double height = options_.frame_height_px;
    const double x = kPad + (tree_.total() == 0 ? 0
                                                : graph_width_ * static_cast<double>(node.start) /
                                                      static_cast<double>(tree_.total()));
    const double y =
        options_.icicle ? top_ + node.depth * height : bottom - (node.depth + 1) * height;
    const double width = width_of(node);
    const bool root = node.depth == 0;
    const std::string css_class = root ? "root" : style_.use(options_.palette.choose(tree_, node));
    // A hairline of background between neighbours, as long as they are wide enough to show it.
    const std::string box =
        fmt::format("x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\"{}", x, y,
                    width - std::min(1.0, width / 4), height - 1, width > 6 ? " rx=\"2\"" : "");
    const std::string label = fit_text(clean_text(plain_name(tree_.name_of(node))),
                                       columns_in(width - 2 * kLabelInset, kLabelChar));
    if (label.empty()) {  // two elements, not three: they are what a page takes to load
      fmt::format_to(std::back_inserter(out), "<rect class=\"f {}\" {}><title>{}</title></rect>\n",
                     css_class, box, tooltip(node));
      return;
    }
    fmt::format_to(std::back_inserter(out),
                   "<g class=\"f {}\"><title>{}</title><rect {}/>"
                   "<text x=\"{:.2f}\" y=\"{:.2f}\">{}</text></g>\n",
                   css_class, tooltip(node), box, x + kLabelInset, y + height / 2 + 3.5,
                   xml_escape(label));
  }

  // Numbers only, so nothing in it needs escaping: start, total and depth of each drawn frame.
  [[nodiscard]] std::string write_metadata() const {
    std::string numbers;
    for (const std::uint32_t index : drawn_) {
      const FrameNode& node = tree_.nodes()[index];
      fmt::format_to(std::back_inserter(numbers), "{}{},{},{}", numbers.empty() ? "" : ",",
                     node.start, node.total, node.depth);
    }
    return fmt::format(
        "<metadata class=\"data\">{{\"pad\":{},\"top\":{},\"frameHeight\":{},\"labelInset\":{},"
        "\"icicle\":{},\"complete\":{},\"frames\":[{}]}}</metadata>\n",
        kPad, top_, options_.frame_height_px, kLabelInset, options_.icicle, dropped_frames_ == 0,
        numbers);
  }

  [[nodiscard]] std::string text_line(std::string_view css_class, double y,
                                      std::string_view text) const {
    const double char_px = css_class == "title" ? 10 : kTextChar;
    const std::string clean = clean_text(text);
    const std::string fitted = fit_text(clean, columns_in(graph_width_, char_px));
    return fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\">{}{}</text>\n", css_class, kPad, y,
                       xml_escape(fitted),
                       fitted == clean ? "" : "<title>" + xml_escape(clean) + "</title>");
  }

  [[nodiscard]] std::string write_header() const {
    std::string header = fmt::format(
        "<g class=\"header\">\n<rect class=\"bg\" width=\"100%\" height=\"{}\"/>\n", top_ - 6);
    header += text_line("title", kTitleBaseline, options_.title);
    if (!options_.subtitle.empty()) {
      header += text_line("muted", kTitleBaseline + kLine, options_.subtitle);
    }
    header += text_line("details", details_baseline_, summary());
    return header + "</g>\n";
  }

  [[nodiscard]] std::string summary() const {
    if (tree_.total() == 0) return "Nothing was recorded.";
    const std::size_t functions = tree_.names().size() - 1;
    return fmt::format(
        "{} \u00b7 {} distinct frame{} \u00b7 {} deep{}",
        format_weight(tree_.total(), options_.unit), format_count(functions),
        functions == 1 ? "" : "s", drawn_depth_,
        tree_.merged_from() == MergeFrom::kLeaf ? " \u00b7 merged from the leaf" : "");
  }

  std::string write_footer(double y) {
    std::string footer = "<g class=\"footer\">\n";
    double x = kPad;
    for (const std::uint32_t group : style_.used_groups()) {
      const Palette::Group& legend = options_.palette.groups[group];
      const std::uint32_t shade = static_cast<std::uint32_t>(legend.shades.size() / 2);
      const std::string label = clean_text(legend.label);
      footer += fmt::format(
          "<g class=\"key {}\"><rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" rx=\"3\"/>"
          "<text x=\"{}\" y=\"{}\">{}</text></g>\n",
          style_.use({group, shade}), x, y, x + 18, y + 10, xml_escape(label));
      x += 18 + static_cast<double>(label.size()) * kLegendChar + 20;
    }
    if (x > kPad) y += kLine + 4;
    for (const std::string& note : footer_notes()) {
      footer += text_line("muted", y + 10, note);
      y += kLine - 2;
    }
    footer_bottom_ = y + 10;
    return footer + "</g>\n";
  }

  [[nodiscard]] std::vector<std::string> footer_notes() const {
    std::vector<std::string> notes = options_.notes;
    if (dropped_frames_ != 0) {
      notes.push_back(fmt::format("Not drawn: {} frame{} narrower than {} px, {} of the total.",
                                  format_count(dropped_frames_), dropped_frames_ == 1 ? "" : "s",
                                  options_.min_width_px,
                                  format_share(dropped_weight_, tree_.total())));
    }
    return notes;
  }

  const FrameTree& tree_;
  const SvgOptions& options_;
  SvgStyle style_;
  double details_baseline_;
  double top_;
  double graph_width_;
  double footer_bottom_ = 0;
  std::vector<std::uint32_t> drawn_;  // indexes into tree_.nodes(), ascending
  std::uint32_t drawn_depth_ = 0;
  std::uint64_t dropped_frames_ = 0;
  std::uint64_t dropped_weight_ = 0;  // of the outermost dropped frames only
};

}  // namespace

std::string render_svg(const FrameTree& tree, const SvgOptions& options) {
  return SvgWriter(tree, options).write();
}

}  // namespace callscope
