// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <random>
#include <string>

#include "flamegraph/folded.hpp"
#include "flamegraph/svg.hpp"
#include "flamegraph/tree.hpp"

namespace {

// Distinct stacks of 5 to 30 frames over 5,000 functions.
std::string synthetic_folded(std::size_t count) {
  std::mt19937 random(11);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t node = 1;
    const std::size_t depth = 5 + random() % 25;
    for (std::size_t d = 0; d < depth; ++d) {
      node = (node * 31 + static_cast<std::uint32_t>(random() % 4)) % 5000;
      text +=
          "ns::Class" + std::to_string(node % 97) + "::method" + std::to_string(node) + "(int);";
    }
    text += "leaf" + std::to_string(i) + " " + std::to_string(1 + random() % 50) + "\n";
  }
  return text;
}

double render_seconds(const std::string& text, std::size_t expected_stacks) {
  const auto start = std::chrono::steady_clock::now();
  const auto stacks = callscope::parse_folded(text);
  REQUIRE(stacks);
  REQUIRE(stacks->size() == expected_stacks);
  const std::string svg = callscope::render_svg(callscope::FrameTree::build(*stacks));
  CHECK(svg.ends_with("</svg>\n"));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("time grows in proportion to the stacks, up to 100,000 of them", "[unit][slow]") {
  const double small = render_seconds(synthetic_folded(10'000), 10'000);
  const double large = render_seconds(synthetic_folded(100'000), 100'000);
  CHECK(large < 40 * small);  // quadratic work would be a factor of 100
}

TEST_CASE("very deep stacks are drawn without recursion", "[unit]") {
  std::string text = "f";
  for (int i = 0; i < 50'000; ++i) text += ";f";
  const auto stacks = callscope::parse_folded(text + " 3\n");
  REQUIRE(stacks);
  const callscope::FrameTree tree = callscope::FrameTree::build(*stacks);
  CHECK(tree.nodes().size() == 50'002);
  CHECK(tree.nodes().back().depth == 50'001);
  CHECK(callscope::render_svg(tree).ends_with("</svg>\n"));
}
