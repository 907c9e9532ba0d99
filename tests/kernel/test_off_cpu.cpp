// SPDX-License-Identifier: Apache-2.0
// Where the time of calls went: on a CPU, waiting for one, asleep; against the threads' own clocks.
#include <catch2/catch.hpp>

#include "target_run.hpp"
#include "ways.hpp"

using namespace callscope;
using test::record_target;
using test::TargetRun;
using test::Way;

namespace {

double as_double(std::uint64_t value) { return static_cast<double>(value); }

void check_order(const FunctionStats& function) {
  CHECK(function.blocked_ns + function.runq_ns <= function.total_ns);
  CHECK(function.self_blocked_ns + function.self_runq_ns <= function.self_ns);
  CHECK(function.self_blocked_ns <= function.blocked_ns);
  CHECK(function.self_runq_ns <= function.runq_ns);
}

// Off the CPU as we say against whole time less CPU time as the target says. The clocks disagree on
// interrupts, and on what a hypervisor takes away.
void check_off_cpu(const TargetRun& run, const std::string& name) {
  INFO(name);
  const FunctionStats& function = run.function(name);
  const double wall_ns = as_double(run.truth.at("wall_ns " + name));
  const double truth_ns = wall_ns - as_double(run.truth.at("cpu_ns " + name));
  const double ours_ns = as_double(function.blocked_ns + function.runq_ns);
  INFO("wall " << wall_ns << ", off CPU " << truth_ns << ", ours " << ours_ns);
  CHECK(ours_ns >= truth_ns - 0.15 * wall_ns);
  CHECK(ours_ns <= truth_ns + 0.15 * wall_ns);
  CHECK(as_double(function.total_ns) >= wall_ns);
}

}  // namespace

TEST_CASE("time is split into computing and sleeping, of a function and of its callees",
          "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  const TargetRun run = record_target({"t_waits"}, options_for(way), {"wait_*"});
  CHECK(run.status == 0);
  CHECK(run.recording.off_cpu_split);
  const FunctionStats& compute = run.function("wait_compute");
  const FunctionStats& sleep = run.function("wait_sleep");
  const FunctionStats& both = run.function("wait_both");
  for (const FunctionStats* const function : {&compute, &sleep, &both}) {
    INFO(function->name);
    CHECK(function->calls == run.truth.at("calls " + function->name));
    check_order(*function);
    check_off_cpu(run, function->name);
  }
  CHECK(as_double(compute.blocked_ns) <= 0.05 * as_double(compute.total_ns));
  CHECK(as_double(sleep.blocked_ns) >= 0.7 * as_double(sleep.total_ns));
  CHECK(sleep.self_blocked_ns == sleep.blocked_ns);
  // Its callees sleep, not itself.
  CHECK(both.blocked_ns >= sleep.blocked_ns);
  CHECK(as_double(both.blocked_ns) <= 0.7 * as_double(both.total_ns));
  CHECK(both.self_blocked_ns == both.blocked_ns - sleep.blocked_ns - compute.blocked_ns);
  CHECK(as_double(both.self_blocked_ns) <= 0.05 * as_double(both.total_ns));
}

TEST_CASE("threads that share a CPU wait for it about half of their time", "[bpf][long][ways]") {
  const Way way = GENERATE(from_range(test::ways()));
  INFO(way.name);
  const TargetRun run =
      record_target({"t_waits", "--contend", "--rounds", "5"}, options_for(way), {"wait_compute"});
  CHECK(run.status == 0);
  const FunctionStats& compute = run.function("wait_compute");
  check_order(compute);
  check_off_cpu(run, "wait_compute");
  CHECK(as_double(compute.runq_ns) >= 0.25 * as_double(compute.total_ns));
  CHECK(as_double(compute.blocked_ns) <= 0.05 * as_double(compute.total_ns));
  CHECK(compute.self_runq_ns == compute.runq_ns);
}
