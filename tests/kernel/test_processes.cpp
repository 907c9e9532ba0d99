// SPDX-License-Identifier: Apache-2.0
// Several processes in one recording: children after fork and after fork and exec, and further
// processes that were asked for.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <optional>
#include <thread>

#include "live_run.hpp"
#include "ways.hpp"

using namespace callscope;
using namespace std::chrono_literals;
using test::Child;
using test::LiveRun;
using test::TargetRun;
using test::Way;

namespace {

const ProcessInfo* find_process(const Recording& recording, std::uint64_t pid) {
  const auto found = std::ranges::find_if(recording.processes, [&](const ProcessInfo& process) {
    return static_cast<std::uint64_t>(process.pid) == pid;
  });
  return found == recording.processes.end() ? nullptr : &*found;
}

// PIDs of the lines "child PID".
std::vector<std::uint64_t> children_of(const TargetRun& run) {
  std::vector<std::uint64_t> pids;
  for (const std::string& line : run.lines)
    if (line.starts_with("child ") && line != "child ready")
      pids.push_back(std::stoull(line.substr(6)));
  return pids;
}

// Three children, each of which waits until it is followed, or would be.
TargetRun record_children(const RecordOptions& options) {
  LiveRun live({"t_fork", "--forks", "3", "--held"}, options,
               {"fork_here", "child_work", "parent_work"});
  live.send("\n");
  for (int i = 0; i < 3; ++i) {
    live.wait_for("child ready");
    live.send("\n");
  }
  return live.finish();
}

void check_parent(const TargetRun& run) {
  CHECK(run.status == 0);
  for (const std::string name : {"fork_here", "parent_work"}) {
    INFO(name);
    CHECK(run.function(name).calls == run.truth.at("calls " + name));
    CHECK(run.function(name).returns == run.function(name).calls);
  }
}

void check_followed(const TargetRun& run, std::uint64_t pid) {
  INFO("child " << pid);
  const ProcessInfo* const process = find_process(run.recording, pid);
  REQUIRE(process != nullptr);
  CHECK(process->parent_pid == run.recording.target.pid);
  CHECK(process->timed);
  CHECK(process->since_ns > 0);
  CHECK(process->since_ns < run.recording.duration_ns);
}

}  // namespace

TEST_CASE("forked children are followed from their birth on", "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  const TargetRun run = record_children(options_for(way));
  check_parent(run);
  const FunctionStats& work = run.function("child_work");
  CHECK(work.calls == run.truth.at("child_calls child_work"));
  CHECK(work.returns == work.calls);
  const std::vector<std::uint64_t> children = children_of(run);
  CHECK(children.size() == 3);
  for (const std::uint64_t pid : children) {
    check_followed(run, pid);
    CHECK(find_process(run.recording, pid)->comm == "t_fork");
  }
  CHECK(run.recording.processes.at(0).pid == run.recording.target.pid);
  CHECK(run.recording.processes.at(0).parent_pid == 0);
}

TEST_CASE("children are left alone when that is switched off", "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  RecordOptions options = options_for(way);
  options.follow_children = false;
  const TargetRun run = record_children(options);
  check_parent(run);
  CHECK(run.truth.at("child_calls child_work") > 0);
  CHECK(run.function("child_work").calls == 0);
  CHECK(run.recording.processes.size() == 1);
}

TEST_CASE("a child that executes another program is followed into it", "[bpf][long]") {
  const bool follow = GENERATE(true, false);
  const bool late = GENERATE(false, true);  // it has executed before anybody looks at it
  INFO("followed: " << follow << ", late: " << late);
  RecordOptions options;  // as a user gets them
  options.follow_children = follow;
  LiveRun live({"t_fork", "--forks", "1", "--exec-child", test::target_path("t_known")}, options,
               {"parent_work", "fork_here", "work_*", "sleepy"});
  live.send("\n");
  if (late) std::this_thread::sleep_for(200ms);
  live.wait_for("ready");  // of the program that was executed
  live.send("\n");
  live.wait_for("done");
  const TargetRun run = live.finish();
  check_parent(run);
  REQUIRE(children_of(run).size() == 1);
  const std::uint64_t pid = children_of(run)[0];
  if (!follow) {
    CHECK(find_process(run.recording, pid) == nullptr);
    CHECK(std::ranges::none_of(run.recording.functions, [](const FunctionStats& function) {
      return function.name == "work_a";
    }));
    return;
  }
  check_followed(run, pid);
  CHECK(find_process(run.recording, pid)->comm == "t_known");
  for (const std::string name : {"work_a", "work_b", "work_c", "sleepy"}) {
    INFO(name);
    CHECK(run.function(name).calls == run.truth.at("calls " + name));
    CHECK(run.function(name).returns == run.function(name).calls);
  }
}

TEST_CASE("several processes of one recording are each counted exactly", "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  Child same(test::target_command({"t_known", "--calls", "70", "--sleeps", "15"}));
  Child other(test::target_command({"t_threads", "--calls", "300"}));
  Child bystander(test::target_command({"t_known", "--calls", "30", "--sleeps", "0"}));
  for (Child* const child : {&same, &other, &bystander}) child->read_until("ready");
  RecordOptions options = options_for(way);
  options.more_pids = {same.pid(), other.pid()};
  LiveRun live({"t_known", "--calls", "50", "--sleeps", "20"}, options,
               {"work_a", "work_c", "sleepy", "odd_work"});
  live.send("\n");
  std::map<std::string, std::uint64_t> calls;  // of all that were asked for
  for (Child* const child : {&same, &other, &bystander}) {
    child->send("\n");
    for (const auto& [key, value] : test::parse_truth(child->read_until("done")))
      if (child != &bystander) calls[key] += value;
  }
  const TargetRun run = live.finish();
  for (const auto& [key, value] : run.truth) calls[key] += value;
  for (const std::string name : {"work_a", "work_c", "sleepy", "odd_work"}) {
    INFO(name);
    CHECK(run.function(name).calls == calls.at("calls " + name));
    CHECK(run.function(name).returns == run.function(name).calls);
  }
  CHECK(run.recording.processes.size() == 3);
  for (const Child* const child : {&same, &other}) {
    const ProcessInfo* const process =
        find_process(run.recording, static_cast<std::uint64_t>(child->pid()));
    REQUIRE(process != nullptr);
    CHECK(process->parent_pid == 0);
    CHECK(process->timed);
  }
  CHECK(find_process(run.recording, static_cast<std::uint64_t>(other.pid()))->comm == "t_threads");
}

TEST_CASE("slow calls of every process are logged, whatever its executable", "[bpf][long]") {
  const Result<SlowRule> rule = SlowRule::parse("*_work>1ns");
  REQUIRE(rule);
  RecordOptions options;
  options.slow_rules.push_back(*rule);
  Child other(test::target_command({"t_threads", "--threads", "2", "--calls", "30"}));
  other.read_until("ready");
  options.more_pids = {other.pid()};
  LiveRun live({"t_known", "--calls", "10", "--sleeps", "0"}, options, {"work_*", "odd_work"});
  other.send("\n");
  other.read_until("done");
  live.send("\n");
  const TargetRun run = live.finish();
  CHECK(run.function("odd_work").calls == 30);
  CHECK(run.recording.slow_calls.size() == 30);
}
