// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <random>

#include "model/call_tree.hpp"
#include "model/thread_table.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::call_tree;
using callscope::Caller;
using callscope::callers_by_function;
using callscope::CallNode;
using callscope::CallTreeNode;
using callscope::MergeThreads;
using callscope::Recording;
using callscope::thread_table;
using callscope::ThreadRow;
using callscope::tree_total_ns;
using callscope::test::sample_recording;

namespace {

// A tree of random shape whose times obey the rules of the recorder.
Recording random_recording(unsigned seed) {
  std::mt19937 random(seed);
  Recording r;
  r.functions.resize(12);
  for (std::size_t i = 0; i < r.functions.size(); ++i) r.functions[i].name = std::to_string(i % 5);
  for (std::uint32_t id = 0; id < 300; ++id) {
    CallNode node{.id = id, .function = static_cast<std::uint32_t>(random() % 12)};
    if (id > 8 && random() % 8 != 0) node.parent = static_cast<std::uint32_t>(random() % id);
    for (std::uint32_t up = node.parent; up != CallNode::kNoParent; up = r.call_nodes[up].parent) {
      node.recursive |= r.call_nodes[up].function == node.function;
    }
    node.tid = static_cast<std::int32_t>(random() % 3);
    node.calls = 1 + random() % 50;
    node.self_ns = random() % 100'000;
    r.call_nodes.push_back(node);
  }
  // A total is the self time of the node and of all nodes below it.
  for (std::size_t i = r.call_nodes.size(); i-- > 0;) {
    CallNode& node = r.call_nodes[i];
    node.total_ns += node.self_ns;
    if (node.parent != CallNode::kNoParent) r.call_nodes[node.parent].total_ns += node.total_ns;
  }
  return r;
}

}  // namespace

TEST_CASE("the tree has every call once, its parents before it, siblings by time", "[unit]") {
  for (const unsigned seed : {1U, 2U, 3U}) {
    const Recording recording = random_recording(seed);
    std::uint64_t self_ns = 0;
    std::uint64_t calls = 0;
    for (const CallNode& node : recording.call_nodes) {
      self_ns += node.self_ns;
      calls += node.calls;
    }
    for (const MergeThreads merge : {MergeThreads::kYes, MergeThreads::kNo}) {
      const std::vector<CallTreeNode> tree = call_tree(recording, merge);
      CHECK(tree.size() <= recording.call_nodes.size());
      std::uint64_t tree_self_ns = 0;
      std::uint64_t tree_calls = 0;
      for (std::uint32_t i = 0; i < tree.size(); ++i) {
        tree_self_ns += tree[i].sums.self_ns;
        tree_calls += tree[i].sums.calls;
        CHECK(tree[i].end > i);
        if (tree[i].depth == 0) {
          CHECK(tree[i].parent == i);
        } else {
          CHECK(tree[i].parent < i);
          CHECK(tree[i].end <= tree[tree[i].parent].end);
          CHECK(tree[i].depth == tree[tree[i].parent].depth + 1);
        }
        const bool has_sibling =
            tree[i].end < tree.size() && tree[tree[i].end].depth == tree[i].depth;
        if (has_sibling) CHECK(tree[i].sums.total_ns >= tree[tree[i].end].sums.total_ns);
      }
      CHECK(tree_self_ns == self_ns);
      CHECK(tree_calls == calls);
      CHECK(tree_total_ns(tree) == self_ns);
    }
  }
}

TEST_CASE("callers add up to the calls and times of the function", "[unit]") {
  const Recording recording = random_recording(7);
  const auto callers = callers_by_function(recording);
  REQUIRE(callers.size() == recording.functions.size());
  for (std::uint32_t f = 0; f < callers.size(); ++f) {
    std::uint64_t calls = 0;
    std::uint64_t total_ns = 0;
    for (const CallNode& node : recording.call_nodes) {
      if (node.function != f) continue;
      calls += node.calls;
      if (!node.recursive) total_ns += node.total_ns;
    }
    for (std::size_t i = 0; i < callers[f].size(); ++i) {
      calls -= callers[f][i].sums.calls;
      total_ns -= callers[f][i].sums.total_ns;
      if (i > 0) CHECK(callers[f][i].sums.total_ns <= callers[f][i - 1].sums.total_ns);
    }
    CHECK(calls == 0);
    CHECK(total_ns == 0);
  }
}

TEST_CASE("the sample's callers and merged tree are as drawn by hand", "[unit]") {
  const Recording recording = sample_recording();
  const std::vector<Caller> callers = callers_by_function(recording)[0];
  REQUIRE(callers.size() == 3);
  CHECK_FALSE(callers[0].function);  // two threads called it with nothing probed above
  CHECK(callers[0].sums.calls == 590);
  CHECK(callers[0].sums.total_ns == 1'300'000);
  CHECK(callers[1].function == 2U);
  CHECK(callers[1].sums.calls == 397);
  CHECK(callers[2].function == 0U);  // itself
  CHECK(callers[2].sums.calls == 10);
  CHECK(callers[0].sums.calls + callers[1].sums.calls + callers[2].sums.calls ==
        recording.functions[0].returns);

  const std::vector<CallTreeNode> tree = call_tree(recording, MergeThreads::kYes);
  REQUIRE(tree.size() == 4);
  CHECK(tree[0].function == 2);
  CHECK(tree[1].function == 0);
  CHECK(tree[1].depth == 1);
  CHECK(tree[2].sums.calls == 590);
  CHECK(tree[3].recursive);
  CHECK(call_tree(recording, MergeThreads::kNo).size() == 5);
}

TEST_CASE("a very deep tree needs no deep call stack", "[unit]") {
  Recording recording;
  recording.functions.resize(1);
  for (std::uint32_t id = 0; id < 200'000; ++id) {
    recording.call_nodes.push_back(
        {.id = id, .parent = id == 0 ? CallNode::kNoParent : id - 1, .function = 0, .self_ns = 1});
  }
  CHECK(call_tree(recording, MergeThreads::kYes).back().depth == 199'999);
}

TEST_CASE("threads have their own times when the tree was kept by thread", "[unit]") {
  Recording recording = sample_recording();
  const std::vector<ThreadRow> rows = thread_table(recording);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].tid == 4242);
  CHECK(rows[0].in_calls_ns == 1'296'000 + 400'000 + 500'000 + 50'000);
  CHECK(rows[0].samples == 444);
  REQUIRE(rows[0].functions.size() == 2);
  CHECK(rows[0].functions[0].function == 2);
  CHECK(rows[0].functions[1].sums.calls == 907);
  CHECK(rows[0].functions[1].sums.total_ns == 1'694'000);
  CHECK(rows[1].tid == 4243);
  CHECK(rows[1].functions[0].sums.self_ns == 250'000);
  recording.calls_by_thread = false;
  CHECK(thread_table(recording).empty());
}
