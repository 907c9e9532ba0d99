// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "flamegraph/tree.hpp"

using callscope::FoldedStack;
using callscope::FrameNode;
using callscope::FrameTree;
using callscope::MergeFrom;

namespace {

std::vector<FoldedStack> random_stacks(std::uint32_t seed, std::size_t count) {
  std::mt19937 random(seed);
  std::vector<FoldedStack> stacks(count);
  for (FoldedStack& stack : stacks) {
    const std::size_t depth = 1 + random() % 9;
    for (std::size_t i = 0; i < depth; ++i) {
      stack.frames.push_back("f" + std::to_string(random() % 4));
    }
    stack.weight = random() % 100;
  }
  return stacks;
}

std::string path_of(const FrameTree& tree, std::uint32_t index) {
  std::string path;
  for (; index != 0; index = tree.nodes()[index].parent) {
    path = ";" + tree.name_of(tree.nodes()[index]) + path;
  }
  return path;
}

// Weight of each path, counted the slow and obvious way.
std::map<std::string, std::uint64_t> weights_by_path(const std::vector<FoldedStack>& stacks) {
  std::map<std::string, std::uint64_t> weights;
  for (const FoldedStack& stack : stacks) {
    if (stack.weight == 0) continue;
    std::string path;
    weights[path] += stack.weight;
    for (const std::string& frame : stack.frames) {
      path += ";" + frame;
      weights[path] += stack.weight;
    }
  }
  return weights;
}

}  // namespace

TEST_CASE("stacks merge by common prefix with total and self weights", "[unit]") {
  const std::vector<FoldedStack> stacks{
      {{"main", "b"}, 3}, {{"main", "a", "x"}, 5}, {{"main", "a"}, 2}, {{"main", "b"}, 1}};
  const FrameTree tree = FrameTree::build(stacks);
  REQUIRE(tree.nodes().size() == 5);
  const std::vector<std::string> names{"all", "main", "a", "x", "b"};
  const std::vector<std::uint64_t> totals{11, 11, 7, 5, 4};
  const std::vector<std::uint64_t> selfs{0, 0, 2, 5, 4};
  const std::vector<std::uint64_t> starts{0, 0, 0, 0, 7};
  const std::vector<std::uint32_t> depths{0, 1, 2, 3, 2};
  const std::vector<std::uint32_t> ends{5, 5, 4, 4, 5};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const FrameNode& node = tree.nodes()[i];
    CHECK(tree.name_of(node) == names[i]);
    CHECK(node.total == totals[i]);
    CHECK(node.self == selfs[i]);
    CHECK(node.start == starts[i]);
    CHECK(node.depth == depths[i]);
    CHECK(node.end == ends[i]);
  }
}

TEST_CASE("merging from the leaf turns every stack round", "[unit]") {
  const std::vector<FoldedStack> stacks{{{"main", "a", "malloc"}, 5}, {{"main", "b", "malloc"}, 2}};
  const FrameTree tree = FrameTree::build(stacks, MergeFrom::kLeaf);
  CHECK(tree.merged_from() == MergeFrom::kLeaf);
  REQUIRE(tree.nodes().size() == 6);
  CHECK(path_of(tree, 3) == ";malloc;a;main");
  CHECK(path_of(tree, 5) == ";malloc;b;main");
  CHECK(tree.nodes()[1].total == 7);
}

TEST_CASE("every node has the weight of the stacks through its path", "[unit]") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    const std::vector<FoldedStack> stacks = random_stacks(seed, 300);
    const FrameTree tree = FrameTree::build(stacks);
    const std::map<std::string, std::uint64_t> expected = weights_by_path(stacks);
    std::map<std::string, std::uint64_t> actual;
    for (std::uint32_t i = 0; i < tree.nodes().size(); ++i) {
      actual[path_of(tree, i)] += tree.nodes()[i].total;
    }
    CHECK(tree.nodes().size() == expected.size());
    CHECK(actual == expected);
  }
}

TEST_CASE("self weights add up to the total, and no level is wider than it", "[unit]") {
  const FrameTree tree = FrameTree::build(random_stacks(99, 2000));
  std::uint64_t self = 0;
  std::map<std::uint32_t, std::uint64_t> level_end;  // where the last node of a level ended
  for (const FrameNode& node : tree.nodes()) {
    self += node.self;
    const FrameNode& parent = tree.nodes()[node.parent];
    CHECK(node.start >= parent.start);
    CHECK(node.start + node.total <= parent.start + parent.total);
    CHECK(node.start >= level_end[node.depth]);
    level_end[node.depth] = node.start + node.total;
  }
  CHECK(self == tree.total());
}

TEST_CASE("the order of the stacks does not change the tree", "[unit]") {
  std::vector<FoldedStack> stacks = random_stacks(5, 200);
  const FrameTree first = FrameTree::build(stacks);
  std::ranges::reverse(stacks);
  const FrameTree second = FrameTree::build(stacks);
  REQUIRE(first.names() == second.names());
  REQUIRE(first.nodes().size() == second.nodes().size());
  for (std::size_t i = 0; i < first.nodes().size(); ++i) {
    CHECK(first.nodes()[i].name == second.nodes()[i].name);
    CHECK(first.nodes()[i].start == second.nodes()[i].start);
    CHECK(first.nodes()[i].self == second.nodes()[i].self);
  }
}

TEST_CASE("stacks of no weight or no frames leave only the root", "[unit]") {
  const std::vector<FoldedStack> stacks{{{"a"}, 0}, {{}, 5}};
  const FrameTree tree = FrameTree::build(stacks);
  REQUIRE(tree.nodes().size() == 1);
  CHECK(tree.total() == 0);
  CHECK(tree.name_of(tree.nodes()[0]) == "all");
}

TEST_CASE("weights beyond 64 bits stop at the largest number", "[unit]") {
  const std::vector<FoldedStack> stacks{{{"a"}, UINT64_MAX}, {{"b"}, 7}};
  const FrameTree tree = FrameTree::build(stacks);
  CHECK(tree.total() == UINT64_MAX);
}
