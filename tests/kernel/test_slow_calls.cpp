// SPDX-License-Identifier: Apache-2.0
// The log of slow calls: complete above the threshold, empty below, right in what it says of each
// call, and honest about what it had no room for.
#include <algorithm>
#include <catch2/catch.hpp>

#include "callscope/abi/histogram.h"
#include "live_run.hpp"
#include "ways.hpp"

using namespace callscope;
using test::LiveRun;
using test::TargetRun;
using test::Way;

namespace {

// A slot of the histogram begins there, so that it tells how many calls took longer.
constexpr std::uint64_t kThresholdNs = std::uint64_t{1} << 23;
constexpr std::size_t kLogHolds = 10'000;
constexpr std::uint64_t kCalls = 60'000;  // more than the ring has room for

RecordOptions with_rule(RecordOptions options, const std::string& rule) {
  const Result<SlowRule> parsed = SlowRule::parse(rule);
  REQUIRE(parsed);
  options.slow_rules.push_back(*parsed);
  return options;
}

std::vector<SlowCall> logged_calls(const TargetRun& run, const std::string& name) {
  std::vector<SlowCall> calls;
  for (const SlowCall& call : run.recording.slow_calls)
    if (run.recording.functions[call.function].name == name) calls.push_back(call);
  return calls;
}

std::uint64_t calls_above_threshold(const FunctionStats& function) {
  std::uint64_t count = 0;
  for (const auto& [slot, calls] : function.histogram)
    if (cs_hist_slot_low(slot) >= kThresholdNs) count += calls;
  return count;
}

std::vector<std::string> stack_names(const TargetRun& run, const SlowCall& call) {
  std::vector<std::string> names;
  if (!call.stack) return names;
  for (const std::uint32_t frame : run.recording.stacks[*call.stack].frames)
    if (!run.recording.frames[frame].inlined())
      names.push_back(run.recording.frames[frame].function);
  return names;
}

// One call of t_waits that took long, as the target knows it.
struct LongCall {
  std::string function;
  std::uint64_t tid = 0;
  std::uint64_t number = 0;
  std::uint64_t wall_ns = 0;
};

std::vector<LongCall> long_calls(const TargetRun& run, const std::string& function) {
  std::vector<LongCall> calls;
  for (const auto& [key, wall_ns] : run.truth) {
    if (!key.starts_with("tid_ns " + function + "#") || wall_ns < kThresholdNs) continue;
    const std::size_t last = key.rfind('#');
    const std::size_t first = key.rfind('#', last - 1);
    calls.push_back({function, std::stoull(key.substr(first + 1, last - first - 1)),
                     std::stoull(key.substr(last + 1)), wall_ns});
  }
  return calls;
}

void check_split(const SlowCall& call, const LongCall& truth) {
  CHECK(call.blocked_ns + call.runq_ns <= call.duration_ns);
  const auto asked_ns = static_cast<double>(call.args[2].value_or(0));
  const auto blocked_ns = static_cast<double>(call.blocked_ns);
  if (truth.function == "wait_compute")
    CHECK(blocked_ns <= 0.1 * static_cast<double>(call.duration_ns));
  else  // a preemption on the way to sleep is the only part of it that may count otherwise
    CHECK(blocked_ns >= 0.8 * asked_ns);
}

void check_logged(const TargetRun& run, const SlowCall& call, const LongCall& truth) {
  CHECK(call.pid == run.recording.target.pid);
  CHECK(call.duration_ns >= truth.wall_ns);  // our probes are outside of its clocks
  const std::vector<std::uint64_t> args{truth.number,     truth.tid,     call.args[2].value_or(0),
                                        2 * truth.number, ~truth.number, 12345};
  REQUIRE(call.args.size() == args.size());
  for (std::size_t i = 0; i < args.size(); ++i) CHECK(call.args[i] == args[i]);
  CHECK(call.t_ns + call.duration_ns <= run.recording.duration_ns);
  const std::vector<std::string> names = stack_names(run, call);
  REQUIRE(names.size() >= 2);
  CHECK(names[0] == truth.function);
  CHECK(names[1] == (truth.function == "wait_both" ? "run" : "wait_both"));
  CHECK(std::ranges::find(names, "run") != names.end());
  check_split(call, truth);
}

}  // namespace

TEST_CASE("every call above its threshold is logged with what it did, none below",
          "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  LiveRun live({"t_waits"},
               with_rule(options_for(way), "wait_*>" + std::to_string(kThresholdNs) + "ns"),
               {"wait_*"});
  live.send("\n");
  const TargetRun run = live.finish();
  CHECK(run.status == 0);
  CHECK(run.quality("slow_calls_lost") == 0);
  CHECK(run.quality("slow_calls_dropped") == 0);
  for (const std::string name : {"wait_both", "wait_compute", "wait_sleep"}) {
    INFO(name);
    const std::vector<SlowCall> logged = logged_calls(run, name);
    const std::vector<LongCall> truths = long_calls(run, name);
    CHECK(truths.size() >= 8);  // each fourth of 16 rounds in two threads
    CHECK(logged.size() == calls_above_threshold(run.function(name)));
    CHECK(run.function(name).returns == run.truth.at("calls " + name));
    for (const SlowCall& call : logged) CHECK(call.duration_ns >= kThresholdNs);
    for (const LongCall& truth : truths) {
      INFO("call " << truth.number << " of " << truth.tid);
      const auto is_it = [&](const SlowCall& call) {
        return static_cast<std::uint64_t>(call.tid) == truth.tid && call.args[0] == truth.number;
      };
      REQUIRE(std::ranges::count_if(logged, is_it) == 1);
      check_logged(run, *std::ranges::find_if(logged, is_it), truth);
    }
  }
}

TEST_CASE("functions without a rule are not logged", "[bpf][long]") {
  LiveRun live({"t_waits", "--rounds", "8"}, with_rule({}, "wait_sleep>1ms"), {"wait_*"});
  live.send("\n");
  const TargetRun run = live.finish();
  CHECK(logged_calls(run, "wait_sleep").size() >= 4);
  CHECK(logged_calls(run, "wait_sleep").size() == run.recording.slow_calls.size());
}

TEST_CASE("slow calls that the ring has no room for are counted as lost", "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  const TargetRun run =
      test::record_target({"t_threads", "--threads", "1", "--calls", std::to_string(kCalls)},
                          with_rule(options_for(way), "shared_work>1ns"), {"shared_work"});
  const std::size_t logged = run.recording.slow_calls.size();
  CHECK(run.function("shared_work").returns == kCalls);
  CHECK(logged > 0);
  CHECK(run.quality("slow_calls_lost") > 0);
  CHECK(logged + run.quality("slow_calls_lost") + run.quality("slow_calls_dropped") == kCalls);
}

TEST_CASE("the log of slow calls keeps its bound and counts what is beyond", "[bpf][long][multi]") {
  const std::string library = test::target_path("libt_plugin.so");
  LiveRun live({"t_dlopen", library}, with_rule({}, "libt_plugin.so:plugin_helper>1ns"),
               {"libt_plugin.so:plugin_*", "main"});
  live.send("load\n");
  live.wait_for("loaded");  // now its functions are probed
  constexpr std::size_t kBatches = 11;
  for (std::size_t i = 0; i < kBatches; ++i) {
    live.send("call 500\n");  // a thousand slow calls, which the ring holds
    live.wait_for("called");
  }
  live.send("quit\n");
  const TargetRun run = live.finish();
  CHECK(run.function("plugin_helper").calls == kBatches * 1000);
  CHECK(run.quality("slow_calls_lost") == 0);
  CHECK(run.recording.slow_calls.size() == kLogHolds);
  CHECK(run.quality("slow_calls_dropped") == kBatches * 1000 - kLogHolds);
  CHECK(logged_calls(run, "plugin_helper").size() == kLogHolds);
}

TEST_CASE("a rule without a library is about every probed function of that name",
          "[bpf][long][multi]") {
  const std::string library = test::target_path("libt_plugin.so");
  LiveRun live({"t_dlopen", library}, with_rule({}, "plugin_helper>1ns"),
               {"libt_plugin.so:plugin_*", "main"});
  live.send("load\n");
  live.wait_for("loaded");
  live.send("call 50\n");
  live.wait_for("called");
  live.send("quit\n");
  const TargetRun run = live.finish();
  const std::vector<SlowCall> logged = logged_calls(run, "plugin_helper");
  REQUIRE(logged.size() == 100);
  CHECK(logged[0].args[0].has_value());
}
