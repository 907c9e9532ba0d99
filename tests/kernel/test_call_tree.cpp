// SPDX-License-Identifier: Apache-2.0
// The tree of calls against the nesting that the targets are known to have: calls, and times that
// add up exactly.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <optional>

#include "model/call_tree.hpp"
#include "target_run.hpp"
#include "ways.hpp"

using namespace callscope;
using test::check_truth;
using test::record_target;
using test::TargetRun;
using test::Way;

namespace {

const std::string& name_of(const Recording& recording, const CallNode& node) {
  return recording.functions[node.function].name;
}

// "work_a/work_b/work_c": the functions from the root to the node.
std::string path_of(const Recording& recording, const CallNode& node) {
  const std::string& name = name_of(recording, node);
  if (node.parent == CallNode::kNoParent) return name;
  return path_of(recording, recording.call_nodes[node.parent]) + "/" + name;
}

std::map<std::string, std::vector<CallNode>> nodes_by_path(const Recording& recording) {
  std::map<std::string, std::vector<CallNode>> nodes;
  for (const CallNode& node : recording.call_nodes) nodes[path_of(recording, node)].push_back(node);
  return nodes;
}

std::map<std::string, std::uint64_t> calls_by_path(const Recording& recording) {
  std::map<std::string, std::uint64_t> calls;
  for (const CallNode& node : recording.call_nodes) calls[path_of(recording, node)] += node.calls;
  return calls;
}

// What must hold in every tree: parents come first, a node's own time is what its callees leave of
// it, and all nodes of a function together are the function.
void check_tree(const Recording& recording) {
  std::vector<std::uint64_t> callees_ns(recording.call_nodes.size());
  std::vector<FunctionStats> sums(recording.functions.size());
  std::uint64_t roots_ns = 0;
  std::uint64_t self_ns = 0;
  for (const CallNode& node : recording.call_nodes) {
    INFO(path_of(recording, node));
    REQUIRE(recording.call_nodes.at(node.id) == node);
    self_ns += node.self_ns;
    if (node.parent == CallNode::kNoParent) {
      roots_ns += node.total_ns;
    } else {
      REQUIRE(node.parent < node.id);
      callees_ns[node.parent] += node.recursive ? 0 : node.total_ns;
    }
    FunctionStats& sum = sums[node.function];
    sum.returns += node.calls;
    sum.unwound += node.unwound;
    sum.self_ns += node.self_ns;
    sum.total_ns += node.recursive ? 0 : node.total_ns;
    sum.max_ns = std::max(sum.max_ns, node.max_ns);
    CHECK(node.blocked_ns + node.runq_ns <= node.total_ns);
    CHECK(node.self_blocked_ns <= node.blocked_ns);
  }
  CHECK(self_ns == roots_ns);
  for (const CallNode& node : recording.call_nodes) {
    INFO(path_of(recording, node));
    CHECK(callees_ns[node.id] <= node.total_ns);
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const FunctionStats& function = recording.functions[i];
    INFO(function.name);
    CHECK(sums[i].returns == function.returns);
    CHECK(sums[i].unwound == function.unwound);
    CHECK(sums[i].self_ns == function.self_ns);
    CHECK(sums[i].total_ns == function.total_ns);
    CHECK(sums[i].max_ns == function.max_ns);
  }
}

// Depths below the limit of pending return probes: then every call is timed by every way.
TargetRun record_recursion(const Way& way, const std::string& depth, const std::string& mutual) {
  TargetRun run = record_target(
      {"t_recursive", "--depth", depth, "--rounds", "30", "--mutual", mutual, "--tails", "0"},
      options_for(way), {"recurse", "mutual_*", "tail_*"});
  check_truth(run);
  return run;
}

}  // namespace

TEST_CASE("the tree of calls is the target's nesting, and its times add up", "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  const TargetRun run = record_target({"t_known"}, options_for(way), {"work_*", "sleepy"});
  check_truth(run);
  const Recording& recording = run.recording;
  const std::map<std::string, std::uint64_t> expected{
      {"work_a", run.truth.at("calls work_a")},
      {"work_a/work_b", run.truth.at("calls work_b")},
      {"work_a/work_b/work_c", run.truth.at("calls work_c")},
      {"sleepy", run.truth.at("calls sleepy")}};
  CHECK(calls_by_path(recording) == expected);
  check_tree(recording);
  const auto nodes = nodes_by_path(recording);
  const CallNode& a = nodes.at("work_a").at(0);
  const CallNode& b = nodes.at("work_a/work_b").at(0);
  const CallNode& c = nodes.at("work_a/work_b/work_c").at(0);
  CHECK(a.self_ns == a.total_ns - b.total_ns);
  CHECK(b.self_ns == b.total_ns - c.total_ns);
  CHECK(c.self_ns == c.total_ns);
  CHECK(std::ranges::none_of(recording.call_nodes, &CallNode::recursive));
}

TEST_CASE("callers of a function are told apart", "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  const TargetRun run = record_target({"t_threads"}, options_for(way), {"*_work", "exit_inside"});
  check_truth(run);
  const std::map<std::string, std::uint64_t> expected{
      {"even_work", run.truth.at("calls even_work")},
      {"even_work/shared_work", run.truth.at("calls even_work")},
      {"odd_work", run.truth.at("calls odd_work")},
      {"odd_work/shared_work", run.truth.at("calls odd_work")}};
  CHECK(calls_by_path(run.recording) == expected);
  check_tree(run.recording);
  const auto callers = callers_by_function(run.recording);
  const FunctionStats& shared = run.function("shared_work");
  const auto index = static_cast<std::size_t>(&shared - run.recording.functions.data());
  CHECK(callers.at(index).size() == 2);
}

TEST_CASE("recursion is a leaf of the outermost call", "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  const TargetRun run = record_recursion(way, "20", "0");
  const std::map<std::string, std::uint64_t> expected{{"recurse", 30},
                                                      {"recurse/recurse", 30 * 19}};
  CHECK(calls_by_path(run.recording) == expected);
  check_tree(run.recording);
  for (const CallNode& node : run.recording.call_nodes)
    CHECK(node.recursive == (node.parent != CallNode::kNoParent));
}

TEST_CASE("in mutual recursion the times of the tree add up, too", "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  check_tree(record_recursion(way, "1", "20").recording);
}

TEST_CASE("frames that longjmp left are in the tree as unwound", "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  const TargetRun run = record_target({"t_longjmp", "--depth", "5"}, options_for(way), {"jump_*"});
  check_truth(run);
  check_tree(run.recording);
  CHECK(nodes_by_path(run.recording).at("jump_top/jump_frame").at(0).unwound == 50);
  CHECK(nodes_by_path(run.recording).at("jump_top/jump_frame/jump_frame").at(0).unwound == 200);
}

TEST_CASE("with trees by thread every thread has its own", "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  RecordOptions options = options_for(way);
  options.by_thread = true;
  const TargetRun run = record_target({"t_threads", "--threads", "4", "--calls", "700"}, options,
                                      {"*_work", "exit_inside"});
  check_truth(run);
  check_tree(run.recording);
  std::map<std::int32_t, std::map<std::string, std::uint64_t>> threads;
  for (const CallNode& node : run.recording.call_nodes)
    if (node.calls > 0) threads[node.tid][path_of(run.recording, node)] += node.calls;
  CHECK(threads.size() == 4);
  std::uint64_t even = 0;
  for (const auto& [tid, calls] : threads) {
    CHECK(tid != 0);
    CHECK(tid != run.recording.target.pid);
    const std::string first = calls.contains("even_work") ? "even_work" : "odd_work";
    even += calls.contains("even_work") ? 1U : 0U;
    CHECK(calls ==
          std::map<std::string, std::uint64_t>{{first, 700}, {first + "/shared_work", 700}});
  }
  CHECK(even == 2);
}
