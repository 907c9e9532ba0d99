// SPDX-License-Identifier: Apache-2.0
// The budget on a live target: a function that is called some million times a second is shed, says
// so and stays true; its neighbour does not notice.
#include <catch2/catch.hpp>

#include "live_run.hpp"

using namespace callscope;
using test::LiveRun;
using test::TargetRun;

namespace {

TargetRun record_hot(double budget_percent, const std::string& windows) {
  RecordOptions options;  // as a user gets them
  options.budget_percent = budget_percent;
  LiveRun live({"t_hot", "--windows", windows}, options, {"hot_step", "cold_step"});
  live.send("\n");
  return live.finish();
}

std::uint64_t balance(const FunctionStats& function) {
  return function.returns + function.unwound + function.running + function.untimed +
         function.skipped;
}

std::uint64_t in_histogram(const FunctionStats& function) {
  std::uint64_t sum = 0;
  for (const auto& [slot, count] : function.histogram) sum += count;
  return sum;
}

void check_exact(const TargetRun& run, const std::string& name) {
  const FunctionStats& function = run.function(name);
  INFO(name << ": " << function.returns << " returned, " << function.untimed << " untimed, "
            << function.unwound << " unwound, " << function.skipped << " skipped; "
            << run.quality("returns_relinked") << " relinked; recorded for "
            << run.recording.duration_ns << " ns");
  CHECK(function.calls == run.truth.at("calls " + name));
  CHECK(function.returns == function.calls);
  CHECK(function.sample_every == 1);
  CHECK(function.untimed_ns == 0);
  CHECK(function.detached_ns == 0);
  CHECK(in_histogram(function) == function.calls);
}

void check_time_of_cold_step(const TargetRun& run) {
  const auto truth_ns = static_cast<double>(run.truth.at("sum_ns cold_step"));
  const FunctionStats& cold = run.function("cold_step");
  const auto ours_ns = static_cast<double>(cold.sum_ns);
  // Our probes lie outside of its clocks; in each call a preemption may part them, in few it does.
  const double probes_ns = static_cast<double>(cold.probe_cost_ns * cold.calls) * 3;
  CHECK(ours_ns >= truth_ns * 0.98);
  CHECK(ours_ns <= truth_ns * 1.3 + probes_ns + 100e6);
}

}  // namespace

TEST_CASE("over the budget a hot function is shed and marked, the others stay exact",
          "[bpf][long]") {
  constexpr double kDefaultPercent = 5;
  const TargetRun run = record_hot(kDefaultPercent, "4");
  CHECK(run.status == 0);
  CHECK(run.recording.probe_costs.emulated_entry_ns > 0);  // without costs there is no budget
  const FunctionStats& hot = run.function("hot_step");
  const bool shed = hot.sample_every > 1 || hot.untimed_ns > 0 || hot.detached_ns > 0;
  CHECK(shed);
  CHECK(hot.calls == balance(hot));
  CHECK(hot.unwound == 0);
  CHECK(hot.returns < run.truth.at("calls hot_step"));
  if (hot.detached_ns == 0) {
    CHECK(hot.calls == run.truth.at("calls hot_step"));
  } else {
    CHECK(hot.calls < run.truth.at("calls hot_step"));
    CHECK(hot.detached_ns < run.recording.duration_ns);
  }
  // Each timed call stands for those that were skipped beside it.
  CHECK(static_cast<double>(in_histogram(hot)) ==
        Approx(static_cast<double>(hot.returns + hot.skipped)).epsilon(0.5));
  check_exact(run, "cold_step");
  check_time_of_cold_step(run);
}

TEST_CASE("exits of a hot tail callee that nobody asked for are part of the budget",
          "[bpf][long]") {
  RecordOptions options;
  options.budget_percent = 5;
  options.exit_mode = ExitMode::kRetSite;
  LiveRun live({"t_hot", "--windows", "4"}, options, {"cold_jump", "cold_step"});
  live.send("\n");
  const TargetRun run = live.finish();
  CHECK(run.status == 0);
  CHECK(run.quality("tail_callees_shed") == 1);
  const FunctionStats& jump = run.function("cold_jump");
  CAPTURE(jump.returns, jump.tail_exits, jump.unwound, jump.untimed, jump.skipped, jump.running);
  CHECK(jump.calls == run.truth.at("calls cold_jump"));
  CHECK(jump.detached_ns == 0);
  CHECK(jump.tail_exits > 0);  // since then a call ends at its jump
  CHECK(jump.tail_exits < jump.returns);
  CHECK(jump.unwound == 0);
  check_exact(run, "cold_step");
}

TEST_CASE("without a budget every call of a hot function is timed", "[bpf][long]") {
  const TargetRun run = record_hot(0, "1");
  CHECK(run.status == 0);
  check_exact(run, "hot_step");
  check_exact(run, "cold_step");
  check_time_of_cold_step(run);
}

TEST_CASE("a budget that is not reached changes nothing", "[bpf][long]") {
  RecordOptions options;
  options.budget_percent = 50;
  LiveRun live({"t_known"}, options, {"work_*", "sleepy"});
  live.send("\n");
  const TargetRun run = live.finish();
  check_truth(run);
  for (const std::string name : {"work_a", "work_b", "work_c", "sleepy"}) check_exact(run, name);
}
