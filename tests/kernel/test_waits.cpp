// SPDX-License-Identifier: Apache-2.0
// Waits by stack: how long threads were off CPU and in which function, against the threads' own
// clocks.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "live_run.hpp"
#include "sys/clock.hpp"
#include "target_run.hpp"

using namespace callscope;
using test::record_target;
using test::TargetRun;

namespace {

RecordOptions waits_only() {
  RecordOptions options;
  options.off_cpu = true;
  options.sample_hz = 0;
  return options;
}

double as_double(std::uint64_t value) { return static_cast<double>(value); }

bool has_function(const Recording& recording, const Waits& waits, const std::string& function) {
  return std::ranges::any_of(recording.stacks[waits.stack].frames, [&](std::uint32_t id) {
    return recording.frames[id].function == function;
  });
}

// All waits in stacks with this function.
Waits waits_in(const Recording& recording, const std::string& function) {
  Waits sum;
  for (const Waits& waits : recording.waits) {
    if (!has_function(recording, waits, function)) continue;
    sum.count += waits.count;
    sum.blocked_ns += waits.blocked_ns;
    sum.runq_ns += waits.runq_ns;
  }
  return sum;
}

}  // namespace

TEST_CASE("sleep is seen in the stack that sleeps, as long as it took", "[bpf]") {
  const TargetRun run = record_target({"t_known"}, waits_only(), {});
  CHECK(run.status == 0);
  CHECK(run.recording.cpu.empty());
  const Waits sleepy = waits_in(run.recording, "sleepy");
  const double truth_ns = as_double(run.truth.at("total_ns sleepy"));
  const std::uint64_t sleeps = run.truth.at("sleeps sleepy");
  CHECK(sleepy.count >= sleeps);
  CHECK(sleepy.count <= sleeps + run.truth.at("preempted sleepy"));
  CHECK(as_double(sleepy.blocked_ns + sleepy.runq_ns) <= truth_ns);
  CHECK(as_double(sleepy.blocked_ns + sleepy.runq_ns) >= 0.8 * truth_ns);
  CHECK(as_double(waits_in(run.recording, "work_c").blocked_ns) < 0.05 * truth_ns);
  for (const Waits& waits : run.recording.waits) {
    if (!has_function(run.recording, waits, "sleepy")) continue;
    const Stack& stack = run.recording.stacks[waits.stack];
    CHECK(stack.end == StackEnd::kComplete);
    CHECK(has_function(run.recording, waits, "main"));
    CHECK_FALSE(has_function(run.recording, waits, "__schedule"));
  }
  for (const char* const key : {"waits_lost", "wait_stacks_not_received", "waits_not_walked"}) {
    INFO(key);
    CHECK(run.quality(key) == 0);
  }
}

TEST_CASE("threads that share a CPU are seen to wait for it where they compute", "[bpf][long]") {
  const TargetRun run = record_target({"t_waits", "--contend", "--rounds", "5"}, waits_only(), {});
  CHECK(run.status == 0);
  const Waits compute = waits_in(run.recording, "wait_compute");
  const double wall_ns = as_double(run.truth.at("wall_ns wait_compute"));
  CHECK(as_double(compute.runq_ns) >= 0.25 * wall_ns);
  CHECK(as_double(compute.blocked_ns) <= 0.05 * wall_ns);
}

TEST_CASE("a wait that is open at the end is counted up to there", "[bpf]") {
  test::LiveRun live({"t_known", "--calls", "0", "--sleeps", "1"}, waits_only(), {});
  live.send("\n");
  live.wait_for("p999_above_ns sleepy");
  constexpr std::uint64_t kLonger = 300'000'000;
  live.serve_for(kLonger);  // it has nothing left to do but to read its standard input
  const TargetRun run = live.finish();
  const Waits open = waits_in(run.recording, "tgt_done");
  CHECK(open.count >= 1);
  CHECK(open.blocked_ns >= kLonger - 50'000'000);
  CHECK(open.blocked_ns <= run.recording.duration_ns);
}

TEST_CASE("children's waits are seen, too", "[bpf]") {
  test::LiveRun live({"t_fork"}, waits_only(), {});
  live.send("\n");
  const TargetRun run = live.finish();
  CHECK(std::ranges::any_of(run.recording.waits,
                            [&](const Waits& waits) { return waits.pid != live.pid(); }));
}
