// SPDX-License-Identifier: Apache-2.0
// Exact counts: every target, by every mechanism and exit strategy.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "model/histogram.hpp"
#include "target/maps.hpp"
#include "target_run.hpp"
#include "ways.hpp"

using namespace callscope;
using test::check_truth;
using test::options_for;
using test::record_target;
using test::TargetRun;
using test::Way;

namespace {

// The executable memory of a process as it is now, all files one after the other.
std::string code_of_process(int pid) {
  const Result<std::vector<Mapping>> maps = read_maps(pid);
  REQUIRE(maps);
  const Fd memory(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  std::string code;
  for (const Mapping& mapping : *maps) {
    if (!mapping.executable || mapping.inode == 0) continue;
    std::string bytes(mapping.end - mapping.start, '\0');
    REQUIRE(::pread(memory.get(), bytes.data(), bytes.size(), static_cast<off_t>(mapping.start)) ==
            static_cast<ssize_t>(bytes.size()));
    code += bytes;
  }
  return code;
}

}  // namespace

TEST_CASE("nested calls are counted exactly and timed within 5 percent", "[bpf][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  const std::string target = GENERATE("t_known", "t_known_nopie", "t_known_nofp");
  INFO(way.name << " " << target);
  const TargetRun run = record_target({target}, options_for(way), {"work_*", "sleepy"});
  check_truth(run);
  CHECK(run.function("work_a").exit == way.exit);
}

TEST_CASE("recursion, mutual recursion and tail calls are counted exactly", "[bpf][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  check_truth(record_target({"t_recursive"}, options_for(way), {"rec*", "mutual*", "tail*"}));
}

TEST_CASE("calls that longjmp leaves are unwound, the next ones are not disturbed", "[bpf][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  check_truth(record_target({"t_longjmp"}, options_for(way), {"jump*"}));
}

TEST_CASE("threads are counted exactly, also when they end inside of a call", "[bpf][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  check_truth(
      record_target({"t_threads", "--sys-exit", "3"}, options_for(way), {"*_work", "exit_inside"}));
}

TEST_CASE("percentiles, total and self agree with what the functions measured themselves",
          "[bpf][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  RecordOptions options = options_for(way);
  options.calibrate = true;
  const TargetRun run = record_target({"t_known"}, options, {"work_*", "sleepy"});
  const std::vector<std::pair<std::string, double>> percentiles{
      {"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}};
  for (const std::string name : {"work_a", "work_b", "work_c", "sleepy"}) {
    const FunctionStats& function = run.function(name);
    // The probes of the function and of its callees lie between our clock and its own.
    const auto callees = static_cast<double>(run.truth.at("calls work_c") + 1) /
                         static_cast<double>(run.truth.at("calls " + name));
    const double probes_ns = static_cast<double>(function.probe_cost_ns) * (1 + callees) * 3;
    for (const auto& [key, p] : percentiles) {
      const auto truth = static_cast<double>(run.truth.at(key + "_ns " + name));
      const auto above = static_cast<double>(run.truth.at(key + "_above_ns " + name));
      const auto ours = static_cast<double>(
          percentile_ns(function.histogram, p, function.min_ns, function.max_ns).value());
      INFO(name << " " << key << " truth " << truth << " to " << above << " ours " << ours);
      CHECK(ours >= truth * 0.95);
      // In the tail one preemption between the two clocks is enough to part them.
      const double preemption_ns = p < 0.99 ? 0 : 20e6;
      CHECK(ours <= above * 1.05 + probes_ns + preemption_ns);
    }
    CHECK(function.self_ns <= function.total_ns);
  }
}

TEST_CASE("a fork inside of a call leaves the parent's counts exact", "[bpf][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  check_truth(record_target({"t_fork"}, options_for(way), {"*_here", "*_work"}));
}

TEST_CASE("calls open at the attach are left alone, later ones are exact", "[bpf][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  const TargetRun run = record_target({"t_midcall"}, options_for(way), {"mid_*"});
  CHECK(run.status == 0);
  for (const std::string name : {"mid_1", "mid_2", "mid_3"}) {
    INFO(name);
    CHECK(run.function(name).calls == run.truth.at("calls_after " + name));
    CHECK(run.function(name).returns == run.function(name).calls);
    CHECK(run.function(name).max_ns < 1'000'000'000);
  }
}

TEST_CASE("handlers on the normal and the alternate stack do not disturb what they interrupt",
          "[bpf][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  const TargetRun run = record_target({"t_signals"}, options_for(way), {"sig_*", "handler_*"});
  check_truth(run);
  for (const FunctionStats& function : run.recording.functions) {
    INFO(function.name);
    CHECK(function.unwound == 0);
    // No return probe is armed on an alternate stack: those calls are counted, not timed.
    CHECK(function.returns + function.untimed == function.calls);
    if (way.exit == ExitMode::kRetSite) CHECK(function.untimed == 0);
  }
}

TEST_CASE("a program that throws through probed functions survives with exact counts", "[bpf]") {
  const std::string target = GENERATE("t_throw", "t_throw_static");
  INFO(target);
  RecordOptions options = test::user_options();
  const TargetRun run = record_target({target}, options, {"*throw_*"});
  CHECK(run.status == 0);
  CHECK(std::ranges::find(run.lines, "ok") != run.lines.end());
  CHECK_FALSE(run.recording.notes.empty());
  for (const FunctionStats& function : run.recording.functions)
    CHECK(function.exit != ExitMode::kUretprobe);
  check_truth(run);
}

TEST_CASE("a return probe cannot be forced on a program that throws", "[bpf]") {
  test::Child child({test::target_path("t_throw"), "--wait"});
  child.read_until("ready");
  RecordOptions options = test::user_options();
  options.exit_mode = ExitMode::kUretprobe;
  options.patterns.push_back(*FunctionPattern::parse("*throw_frame*"));
  const auto recorder = Recorder::create(child.pid(), options);
  REQUIRE_FALSE(recorder);
  CHECK(recorder.error().code == ErrorCode::kUsage);
}

TEST_CASE("entry-only functions are counted exactly and have no times", "[bpf]") {
  RecordOptions options = test::user_options();
  options.exit_mode = ExitMode::kEntryOnly;
  const TargetRun run = record_target({"t_known"}, options, {"work_*", "sleepy"});
  check_truth(run);
  CHECK(run.function("work_a").untimed == run.function("work_a").calls);
  CHECK(run.function("work_a").total_ns == 0);
}

TEST_CASE("a process that exits inside of calls leaves them running", "[bpf]") {
  test::Child child({test::target_path("t_exit_in_call"), "--wait"});
  child.read_until("ready");
  RecordOptions options = test::user_options();
  options.patterns.push_back(*FunctionPattern::parse("exit_*"));
  auto recorder = Recorder::create(child.pid(), options);
  REQUIRE(recorder);
  (*recorder)->enable();
  child.send("\n");
  CHECK(child.wait_status() == 0);
  REQUIRE((*recorder)->stop("target exit"));
  for (const FunctionStats& function : (*recorder)->recording().functions) {
    INFO(function.name);
    CHECK(function.calls == 11);
    CHECK(function.returns == 10);
    CHECK(function.running == 1);
    CHECK(function.unwound == 0);
  }
}

TEST_CASE("after the recording no breakpoint is left in the target", "[bpf][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  test::Child child({test::target_path("t_known"), "--wait", "--hold"});
  child.read_until("ready");
  const std::string before = code_of_process(child.pid());
  RecordOptions options = options_for(way);
  options.patterns.push_back(*FunctionPattern::parse("work_*"));
  auto recorder = Recorder::create(child.pid(), options);
  REQUIRE(recorder);
  (*recorder)->enable();
  CHECK(code_of_process(child.pid()) != before);
  REQUIRE((*recorder)->stop("test"));
  CHECK(code_of_process(child.pid()) == before);
}

TEST_CASE("the time of a tail callee belongs to its caller, probed or not", "[bpf][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  const std::string patterns = GENERATE("tail_caller", "tail_*");
  INFO(way.name << " " << patterns);
  const TargetRun run = record_target({"t_tail"}, options_for(way), {patterns});
  check_truth(run);
  const FunctionStats& caller = run.function("tail_caller");
  const auto mean_ns = static_cast<double>(caller.sum_ns) / static_cast<double>(caller.returns);
  const auto truth_ns = static_cast<double>(run.truth.at("mean_ns tail_caller"));
  CHECK(mean_ns >= truth_ns * 0.98);  // not cut at the jump
  CHECK(mean_ns <= truth_ns * 1.3);   // its own clock starts behind our probes
  CHECK(caller.tail_exits == 0);
}

TEST_CASE("every function of a program and its libraries may be probed at once", "[bpf][multi]") {
  const std::string target = GENERATE("t_longjmp", "t_known", "t_threads");
  INFO(target);
  RecordOptions options = test::user_options();
  const TargetRun run =
      record_target({target}, options, {"*", "libc.so.6:*", "ld-linux-x86-64.so.2:*"});
  CHECK(run.recording.functions.size() > 1000);
  check_truth(run);
}

TEST_CASE("other processes of the same program get no breakpoint", "[bpf][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  const std::vector<std::string> argv{test::target_path("t_known"), "--wait", "--hold"};
  test::Child target(argv);
  test::Child bystander(argv);
  target.read_until("ready");
  bystander.read_until("ready");
  const std::string before = code_of_process(bystander.pid());
  RecordOptions options = options_for(way);
  const bool few = way.mechanism == ProbeMechanism::kPerfEvent;  // they are slow to detach
  for (const std::string pattern : {few ? "work_*" : "*", few ? "sleepy" : "libc.so.6:*"})
    options.patterns.push_back(*FunctionPattern::parse(pattern));
  auto recorder = Recorder::create(target.pid(), options);
  REQUIRE(recorder);
  (*recorder)->enable();
  CHECK(code_of_process(target.pid()) != before);
  CHECK(code_of_process(bystander.pid()) == before);
}
