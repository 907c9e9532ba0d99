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
  REQUIRE(summary.samples > 300);
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

TEST_CASE("programs that run for 50 ms have complete stacks with names", "[bpf][sampling]") {
  // Nothing of ours drains records meanwhile: the walker is fed all the same. What is sampled
  // before, in the first two milliseconds of each, is cut.
  const std::string script =
      "echo ready; read go; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do " +
      test::target_path("t_busy_nofp") + " --ms 50 >&2; done; echo done; read end; :";
  const TargetRun run = record_target({"/bin/sh", "-c", script}, sampling(), {});
  CHECK(run.status == 0);
  CHECK(share_complete(run.recording) > 0.85);
  std::uint64_t unnamed = 0;
  for (const CpuSamples& samples : run.recording.cpu)
    if (std::ranges::any_of(run.recording.stacks[samples.stack].frames, [&](std::uint32_t frame) {
          return run.recording.modules[run.recording.frames[frame].module].kind ==
                 ModuleKind::kUnknown;
        }))
      unnamed += samples.count;
  CHECK(unnamed * 100 < summarize_stacks(run.recording).samples * 3);
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
  const std::uint64_t explained = summary.ends[static_cast<std::size_t>(StackEnd::kComplete)] +
                                  summary.ends[static_cast<std::size_t>(StackEnd::kTrampoline)];
  // The first ones may come before the walker knows the code.
  CHECK(static_cast<double>(explained) > 0.99 * static_cast<double>(summary.samples));
}
