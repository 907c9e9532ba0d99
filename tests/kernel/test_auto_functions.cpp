// SPDX-License-Identifier: Apache-2.0
// Without patterns the functions of hot stacks are probed once there are samples to choose by.
#include <algorithm>
#include <catch2/catch.hpp>

#include "live_run.hpp"

using namespace callscope;
using test::LiveRun;
using test::TargetRun;

namespace {

bool is_probed(const Recording& recording, const std::string& name) {
  return std::ranges::find(recording.functions, name, &FunctionStats::name) !=
         recording.functions.end();
}

}  // namespace

TEST_CASE("without patterns the hot functions and their callers are chosen after a second",
          "[bpf][long][sampling]") {
  constexpr std::uint64_t kRounds = 20;  // of one window: each function once in each
  constexpr std::uint64_t kWindows = 5;
  RecordOptions options;
  options.auto_functions = true;
  options.sample_hz = 499;
  LiveRun live({"t_busy", "--window-rounds", std::to_string(kRounds)}, options, {});
  const auto run_window = [&] {
    live.send("x");
    live.wait_for("ns_per_round");
  };
  live.send("\n");
  for (int windows = 0; live.recording().functions.empty(); ++windows) {
    REQUIRE(windows < 1000);
    run_window();
  }
  CHECK(live.recording().duration_ns >= 1'000'000'000);
  for (std::uint64_t i = 0; i < kWindows; ++i) run_window();
  live.close_input();
  const TargetRun run = live.finish();
  CHECK(run.status == 0);
  for (const std::string name : {"hot_50", "hot_30", "hot_20", "chain_7", "chain_1"}) {
    INFO(name);
    const FunctionStats& function = run.function(name);
    // They were chosen within the window before.
    CHECK(function.calls >= kWindows * kRounds);
    CHECK(function.calls <= (kWindows + 1) * kRounds);
    CHECK(function.returns == function.calls);
    CHECK(function.total_ns > 0);
  }
  CHECK(run.truth.at("calls hot_50") > (kWindows + 1) * kRounds);
  CHECK_FALSE(is_probed(run.recording, "run_children"));  // never called
  CHECK(std::ranges::any_of(run.recording.notes, [](const std::string& note) {
    return note.find("functions of hot stacks are probed since") != std::string::npos;
  }));
}

TEST_CASE("without patterns and without that wish nothing is probed", "[bpf][long][sampling]") {
  RecordOptions options;
  LiveRun live({"t_busy", "--ms", "1500"}, options, {});
  live.send("\n");
  const TargetRun run = live.finish();
  CHECK(run.status == 0);
  CHECK_FALSE(run.recording.cpu.empty());
  CHECK(run.recording.functions.empty());
}
