// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data_files.hpp"
#include "flamegraph/folded.hpp"
#include "flamegraph/svg.hpp"
#include "flamegraph/tree.hpp"

using callscope::FoldedStack;
using callscope::FrameTree;
using callscope::MergeFrom;
using callscope::parse_folded;
using callscope::render_svg;
using callscope::SvgOptions;
using callscope::test::read_data;

namespace {

FrameTree tree_of(std::string_view folded, MergeFrom from = MergeFrom::kRoot) {
  const auto stacks = parse_folded(folded);
  REQUIRE(stacks);
  return FrameTree::build(*stacks, from);
}

std::string between(const std::string& text, std::string_view first, std::string_view last) {
  const std::size_t begin = text.find(first);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = text.find(last, begin);
  REQUIRE(end != std::string::npos);
  return text.substr(begin, end - begin);
}

std::string frames_of(const std::string& svg) {
  return between(svg, "<g class=\"frames\">", "<g class=\"footer\">");
}

double attribute(std::string_view element, std::string_view name) {
  const std::string start = " " + std::string(name) + "=\"";
  const std::size_t at = element.find(start);
  REQUIRE(at != std::string_view::npos);
  double value = 0;
  std::from_chars(element.data() + at + start.size(), element.data() + element.size(), value);
  return value;
}

struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
};

std::vector<Box> boxes_of(const std::string& svg) {
  const std::string frames = frames_of(svg);
  std::vector<Box> boxes;
  for (std::size_t at = frames.find("<rect"); at != std::string::npos;
       at = frames.find("<rect", at + 1)) {
    const std::string_view rect(frames.data() + at, frames.find("/>", at) - at);
    boxes.push_back({attribute(rect, "x"), attribute(rect, "y"), attribute(rect, "width")});
  }
  return boxes;
}

}  // namespace

TEST_CASE("the picture of a small graph is as it was reviewed", "[unit]") {
  SvgOptions options;
  options.width_px = 600;
  const std::string svg =
      render_svg(tree_of("main;work;vfs_read_[k] 6\nmain;work 3\nmain;<b>&\"x\" 1\n"), options);
  CHECK(frames_of(svg) == read_data("small.golden.svg"));
}

TEST_CASE("equal input gives equal bytes", "[unit]") {
  const std::string folded = read_data("perf.folded");
  CHECK(render_svg(tree_of(folded)) == render_svg(tree_of(folded)));
}

TEST_CASE("no level is wider than the graph, and boxes of a level do not overlap", "[unit]") {
  SvgOptions options;
  options.width_px = 1000;
  for (const bool icicle : {false, true}) {
    options.icicle = icicle;
    const std::vector<Box> boxes = boxes_of(render_svg(tree_of(read_data("perf.folded")), options));
    std::map<double, double> level_end;
    std::map<double, double> level_width;
    for (const Box& box : boxes) {
      if (level_end.contains(box.y)) CHECK(box.x >= level_end[box.y] - 0.011);
      level_end[box.y] = box.x + box.width;
      level_width[box.y] += box.width;
    }
    for (const auto& [y, width] : level_width) CHECK(width <= 1000 - 2 * 16);
    CHECK(level_end.size() == 16);  // 15 frames and the root
    CHECK((boxes.front().y > boxes.back().y) != icicle);
  }
}

TEST_CASE("narrow frames are left out and their share is stated", "[unit]") {
  SvgOptions options;
  options.min_width_px = 10;
  const FrameTree tree = tree_of("a;big 990\na;t1;deep 5\na;t2 5\n");
  const std::string svg = render_svg(tree, options);
  CHECK(svg.contains("Not drawn: 3 frames narrower than 10 px, 1.00 % of the total."));
  CHECK(svg.contains("\"complete\":false"));
  CHECK_FALSE(frames_of(svg).contains("t1"));
  CHECK_FALSE(frames_of(svg).contains("deep"));

  options.min_width_px = 0;
  const std::string whole = render_svg(tree, options);
  CHECK(frames_of(whole).contains("deep"));
  CHECK_FALSE(whole.contains("Not drawn"));
  CHECK(whole.contains("\"complete\":true"));
}

TEST_CASE("labels are cut to their box", "[unit]") {
  SvgOptions options;
  options.width_px = 332;  // 300 px for the frames, 292 of them for text: 43 characters
  const std::string name(60, 'x');
  const std::string svg = render_svg(tree_of(name + " 1"), options);
  CHECK(svg.contains(">" + std::string(42, 'x') + "\u2026</text>"));
  CHECK(svg.contains("<title>" + name + "\n1 sample, 100.00 % of total"));
}

TEST_CASE("the legend names the kinds that occur and no other", "[unit]") {
  const std::string footer =
      between(render_svg(tree_of("a;b_[k] 1")), "<g class=\"footer\">", "<g class=\"header\">");
  CHECK(footer.contains(">user</text>"));
  CHECK(footer.contains(">kernel</text>"));
  CHECK_FALSE(footer.contains(">JIT</text>"));
  CHECK_FALSE(footer.contains(">inlined</text>"));
}

TEST_CASE("title, subtitle, notes and unit reach the picture", "[unit]") {
  SvgOptions options;
  options.title = "redis <1>";
  options.subtitle = "10 s & more";
  options.notes = {"INCOMPLETE: 3 lost"};
  options.unit = "ns";
  const std::string svg = render_svg(tree_of("a;b 1500000", MergeFrom::kLeaf), options);
  CHECK(svg.contains(">redis &lt;1&gt;</text>"));
  CHECK(svg.contains(">10 s &amp; more</text>"));
  CHECK(svg.contains(">INCOMPLETE: 3 lost</text>"));
  CHECK(svg.contains("1.50 ms \u00b7 2 distinct frames \u00b7 2 deep \u00b7 merged from the leaf"));
}

TEST_CASE("nothing recorded is a picture that says so", "[unit]") {
  const std::string svg = render_svg(FrameTree::build({}));
  CHECK(svg.contains("Nothing was recorded."));
  CHECK(boxes_of(svg).size() == 1);
}

TEST_CASE("no control is drawn without the script", "[unit]") {
  const std::string svg = render_svg(tree_of("a 1"));
  const std::string picture = svg.substr(0, svg.find("<script>"));
  CHECK_FALSE(picture.contains("<foreignObject"));
  CHECK_FALSE(picture.contains("<input"));
  CHECK_FALSE(picture.contains("<button"));
}

TEST_CASE("names cannot become markup", "[unit]") {
  SvgOptions options;
  options.min_width_px = 0;
  options.title = "]]></svg><script>window.pwned=1</script>";
  options.subtitle = options.title;
  options.notes = {options.title};
  options.unit = options.title;
  const std::string svg = render_svg(tree_of(read_data("hostile.folded")), options);
  std::size_t scripts = 0;
  for (std::size_t at = 0; (at = svg.find("<script", at)) != std::string::npos; ++at) ++scripts;
  CHECK(scripts == 1);
  CHECK(svg.find("</svg>") == svg.rfind("</svg>"));
  for (const char c : svg) CHECK_FALSE((static_cast<unsigned char>(c) < 0x20 && c != '\n'));
}
