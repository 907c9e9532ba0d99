// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "flamegraph/heatmap.hpp"
#include "flamegraph/heatmap_axis.hpp"

using callscope::HeatMapOptions;
using callscope::HeatPanel;
using callscope::HeatTick;
using callscope::latency_label;
using callscope::latency_ticks;
using callscope::render_heat_map_svg;
using callscope::row_position;
using callscope::time_label;
using callscope::time_ticks;

namespace {

HeatPanel small_panel() {
  HeatPanel panel;
  panel.title = "work";
  panel.subtitle = "13 calls";
  panel.row_low_ns = {1000, 2000, 4000, 8000};
  panel.counts = {5, 0, 1, 0, 0, 0, 2, 5, 0};  // three columns of three rows
  panel.lines = {{"p50", {{1500, std::nullopt, 3000}}}};
  return panel;
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
  return count;
}

std::vector<std::string> labels(const std::vector<HeatTick>& ticks) {
  std::vector<std::string> result;
  for (const HeatTick& tick : ticks) result.push_back(tick.label);
  return result;
}

}  // namespace

TEST_CASE("each cell with calls is a rectangle that says what it holds", "[unit]") {
  const std::vector<HeatPanel> panels = {small_panel()};
  const std::string svg = render_heat_map_svg(panels, {});
  CHECK(count_of(svg, "</title></rect>") == 4);
  CHECK(svg.contains(
      "<title>0 s to 1 s, 1 \u00b5s to 2 \u00b5s\n5 calls, 83.33 % of this column</title>"));
  CHECK(svg.contains(
      "<title>0 s to 1 s, 4 \u00b5s to 8 \u00b5s\n1 call, 16.67 % of this column</title>"));
  CHECK(svg.contains(
      "<title>2 s to 3 s, 2 \u00b5s to 4 \u00b5s\n5 calls, 71.43 % of this column</title>"));
  CHECK(svg.contains("class=\"h9\""));  // the fullest cells
  CHECK(svg.contains("class=\"h1\""));  // a single call
  CHECK(svg.contains("5 calls a cell"));
  CHECK(svg == render_heat_map_svg(panels, {}));
}

TEST_CASE("a line has a gap where no call returned", "[unit]") {
  const std::vector<HeatPanel> panels = {small_panel()};
  const std::string svg = render_heat_map_svg(panels, {});
  const std::size_t begin = svg.find("class=\"line l0\" d=\"M", svg.find("class=\"halo\""));
  REQUIRE(begin != std::string::npos);
  const std::string path = svg.substr(begin, svg.find("/>", begin) - begin);
  CHECK(count_of(path, "M") == 2);
  CHECK(count_of(path, "H") == 2);
  CHECK(count_of(path, "V") == 0);
}

TEST_CASE("labels cannot become markup", "[unit]") {
  std::vector<HeatPanel> panels = {small_panel()};
  panels[0].title = panels[0].subtitle = panels[0].lines[0].label =
      "]]></svg><script>window.pwned=1</script>\x1b";
  HeatMapOptions options;
  options.title = options.subtitle = panels[0].title;
  options.notes = {panels[0].title};
  const std::string svg = render_heat_map_svg(panels, options);
  CHECK(count_of(svg, "<script") == 0);
  CHECK(count_of(svg, "</svg>") == 1);
  for (const char c : svg) CHECK_FALSE((static_cast<unsigned char>(c) < 0x20 && c != '\n'));
}

TEST_CASE("panels that cannot be drawn are left out", "[unit]") {
  std::vector<HeatPanel> panels(3, small_panel());
  panels[0].row_low_ns = {1000};
  panels[1].counts.pop_back();
  panels[2].seconds_per_column = 0;
  HeatMapOptions options;
  options.notes = {"nothing to see"};
  const std::string svg = render_heat_map_svg(panels, options);
  CHECK(count_of(svg, "class=\"panel\"") == 0);
  CHECK(svg.contains("nothing to see"));
}

TEST_CASE("positions grow with the value and stay within the rows", "[unit]") {
  const std::vector<std::uint64_t> bounds = {1000, 2000, 4000, 8000};
  CHECK(row_position(bounds, 0) == 0);
  CHECK(row_position(bounds, 1000) == 0);
  CHECK(row_position(bounds, 1500) == Approx(0.5));
  CHECK(row_position(bounds, 4000) == Approx(2));
  CHECK(row_position(bounds, 7000) == Approx(2.75));
  CHECK(row_position(bounds, 8000) == 3);
  CHECK(row_position(bounds, ~std::uint64_t{0}) == 3);
}

TEST_CASE("ticks stand on round values", "[unit]") {
  CHECK(labels(latency_ticks(700, 20'000'000)) ==
        std::vector<std::string>{"1 \u00b5s", "10 \u00b5s", "100 \u00b5s", "1 ms", "10 ms"});
  CHECK(labels(latency_ticks(800, 6000)) ==
        std::vector<std::string>{"1 \u00b5s", "2 \u00b5s", "5 \u00b5s"});
  CHECK(latency_ticks(0, ~std::uint64_t{0}).size() < 25);
  CHECK(labels(time_ticks(60, 8)) ==
        std::vector<std::string>{"0 s", "10 s", "20 s", "30 s", "40 s", "50 s", "60 s"});
  CHECK(labels(time_ticks(3, 20)) == std::vector<std::string>{"0 s", "1 s", "2 s", "3 s"});
  for (const std::uint64_t seconds : {1ULL, 59ULL, 3600ULL, 86'400ULL, 4'294'967'295ULL}) {
    CHECK(time_ticks(seconds, 15).size() <= 15);
    CHECK(time_ticks(seconds, 15).size() >= 2);
  }
}

TEST_CASE("labels have the unit that fits", "[unit]") {
  CHECK(latency_label(7) == "7 ns");
  CHECK(latency_label(1024) == "1.02 \u00b5s");
  CHECK(latency_label(50'000'000) == "50 ms");
  CHECK(latency_label(123'456'789) == "123 ms");
  CHECK(latency_label(2'000'000'000) == "2 s");
  CHECK(time_label(119) == "119 s");
  CHECK(time_label(150) == "2:30");
  CHECK(time_label(3661) == "1:01:01");
}
