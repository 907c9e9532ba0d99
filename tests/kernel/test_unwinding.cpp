// SPDX-License-Identifier: Apache-2.0
// Stacks of programs without frame pointers: they reach the first function of their thread, also
// through pending return probes and in children that live shortly.
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

#include "model/stack_summary.hpp"
#include "target_run.hpp"

using namespace callscope;
using test::record_target;
using test::TargetRun;

namespace {

RecordOptions sampling(UnwindMode unwind = UnwindMode::kAuto) {
  RecordOptions options;
  options.sample_hz = 997;
  options.unwind = unwind;
  return options;
}

double share_complete(const Recording& recording) {
  const StackSummary summary = summarize_stacks(recording);
  REQUIRE(summary.samples > 500);
  for (std::size_t end = 0; end < summary.ends.size(); ++end)
    if (summary.ends[end] > 0) UNSCOPED_INFO("end " << end << ": " << summary.ends[end]);
  return static_cast<double>(summary.ends[static_cast<std::size_t>(StackEnd::kComplete)]) /
         static_cast<double>(summary.samples);
}

}  // namespace

TEST_CASE("stacks without frame pointers are complete", "[bpf][sampling]") {
  const TargetRun run = record_target({"t_busy_nofp", "--ms", "2000"}, sampling(), {});
  CHECK(run.status == 0);
  CHECK(share_complete(run.recording) > 0.99);
  const StackSummary summary = summarize_stacks(run.recording);
  CHECK(static_cast<double>(summary.reaching_start) >
        0.99 * static_cast<double>(summary.with_user));
}

TEST_CASE("with frame pointers only they are cut, and say so", "[bpf][sampling]") {
  const TargetRun run =
      record_target({"t_busy_nofp", "--ms", "2000"}, sampling(UnwindMode::kFramePointer), {});
  CHECK(share_complete(run.recording) < 0.5);
  CHECK(run.quality("truncated_samples") > 500);
}

TEST_CASE("pending return probes neither cut a stack nor show in it", "[bpf][sampling]") {
  const TargetRun run =
      record_target({"t_busy_nofp", "--ms", "2000"}, sampling(), {"hot_*", "main", "work*"});
  CHECK(run.status == 0);
  CHECK(share_complete(run.recording) > 0.99);
  CHECK(std::ranges::none_of(run.recording.modules,
                             [](const Module& module) { return module.path == "[uprobes]"; }));
}

TEST_CASE("stacks of forked children are complete", "[bpf][sampling]") {
  const TargetRun run = record_target({"t_busy_nofp", "--ms", "2000", "--fork"}, sampling(), {});
  CHECK(share_complete(run.recording) > 0.99);
}

TEST_CASE("while a probe is served a stack is complete, or its return address is not known",
          "[bpf][sampling]") {
  // Its first instruction is one byte long: behind the breakpoint another rule is in force.
  const TargetRun run = record_target({"t_probecost", "cost_push", "300000", "--windows", "3"},
                                      sampling(), {"cost_push"});
  CHECK(run.status == 0);
  // The kernel replaces the return address a little before it notes the original.
  CHECK(share_complete(run.recording) > 0.9);
  const StackSummary summary = summarize_stacks(run.recording);
  CHECK(summary.ends[static_cast<std::size_t>(StackEnd::kComplete)] +
            summary.ends[static_cast<std::size_t>(StackEnd::kTrampoline)] ==
        summary.samples);
}
