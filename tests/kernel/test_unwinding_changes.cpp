// SPDX-License-Identifier: Apache-2.0
// Stacks of programs whose code changes or is gone while they run, and of very deep ones.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "callscope/abi/code.h"
#include "live_run.hpp"
#include "model/stack_summary.hpp"

using namespace callscope;
using test::Child;
using test::LiveRun;
using test::record_target;
using test::target_path;
using test::TargetRun;

namespace {

RecordOptions sampling() {
  RecordOptions options;
  options.sample_hz = 997;
  return options;
}

double share_complete(const StackSummary& summary) {
  for (std::size_t end = 0; end < summary.ends.size(); ++end)
    if (summary.ends[end] > 0) UNSCOPED_INFO("end " << end << ": " << summary.ends[end]);
  return static_cast<double>(summary.ends[static_cast<std::size_t>(StackEnd::kComplete)]) /
         static_cast<double>(summary.samples);
}

bool has_function(const Recording& recording, const Stack& stack, const std::string& name) {
  return std::ranges::any_of(
      stack.frames, [&](std::uint32_t frame) { return recording.frames[frame].function == name; });
}

}  // namespace

TEST_CASE("stacks of a program whose file was deleted are complete and named", "[bpf][sampling]") {
  const std::filesystem::path copy =
      std::filesystem::temp_directory_path() / ("callscope_deleted_" + std::to_string(::getpid()));
  std::filesystem::copy_file(target_path("t_busy_nofp"), copy);
  Child child({copy.string(), "--ms", "2000", "--wait", "--hold"});
  child.read_until("ready");
  std::filesystem::remove(copy);
  Result<std::unique_ptr<Recorder>> recorder = Recorder::create(child.pid(), sampling());
  if (!recorder) FAIL(recorder.error().message());
  (*recorder)->enable();
  child.send("\n");
  std::vector<std::string> lines = child.read_until("done");
  const Result<void> drained = (*recorder)->drain();
  if (!drained) FAIL(drained.error().message());
  const TargetRun run = test::end_run(**recorder, child, std::move(lines));
  const StackSummary summary = summarize_stacks(run.recording);
  CHECK(summary.samples > 500);
  CHECK(share_complete(summary) > 0.99);
  CHECK(std::ranges::any_of(run.recording.stacks, [&](const Stack& stack) {
    return has_function(run.recording, stack, "hot_50") &&
           has_function(run.recording, stack, "chain_1");
  }));
}

TEST_CASE("stacks through a library that took the place of another are complete",
          "[bpf][sampling]") {
  LiveRun live({"t_dlopen", target_path("libt_plugin.so")}, sampling(), {});
  const auto tell = [&](const std::string& command, const std::string& answer) {
    live.send(command + "\n");
    live.wait_for(answer);
  };
  for (int round = 0; round < 2; ++round) {
    tell("load", "loaded");
    tell("call 200000000", "called");
    tell("unload", "unloaded");
    tell("load " + target_path("libt_plugin_other.so"), "loaded");
    tell("call 5000000", "called");
    tell("unload", "unloaded");
  }
  live.send("quit\n");
  const TargetRun run = live.finish();
  CHECK(run.status == 0);
  CHECK(run.truth.at("moved loads") == 0);
  const StackSummary summary = summarize_stacks(run.recording);
  CHECK(summary.samples > 500);
  CHECK(share_complete(summary) > 0.99);
  for (const Stack& stack : run.recording.stacks)
    if (has_function(run.recording, stack, "plugin_work") && stack.end == StackEnd::kComplete)
      CHECK(has_function(run.recording, stack, "main"));
}

TEST_CASE("a deep stack keeps its ends and says that its middle is left out", "[bpf][sampling]") {
  RecordOptions options = sampling();
  options.sample_hz = 97;  // faster ones, or an emulated machine, leave no time for most walks
  const TargetRun run = record_target(
      {"t_recursive", "--depth", "5000", "--rounds", "30000", "--tails", "0", "--mutual", "0"},
      options, {});
  CHECK(run.status == 0);
  const StackSummary summary = summarize_stacks(run.recording);
  REQUIRE(summary.samples > 5);
  const std::uint64_t deep = summary.ends[static_cast<std::size_t>(StackEnd::kDeep)];
  const std::uint64_t cut = summary.ends[static_cast<std::size_t>(StackEnd::kDepth)];
  CHECK(deep > 0);
  CHECK(deep + cut + summary.ends[static_cast<std::size_t>(StackEnd::kComplete)] ==
        summary.samples);
  CHECK(summary.reaching_start + cut == summary.with_user);
  CHECK(summary.truncated == cut);
  CHECK(run.quality("stacks_deep") == deep);
  for (const Stack& stack : run.recording.stacks) {
    if (stack.end != StackEnd::kDeep) continue;
    const auto name = [&](std::size_t i) -> const std::string& {
      return run.recording.frames[stack.frames[i]].function;
    };
    std::vector<std::size_t> gaps;
    std::size_t kernel = 0;  // frames
    for (std::size_t i = 0; i < stack.frames.size(); ++i) {
      if (name(i) == "[frames left out]") gaps.push_back(i);
      const Module& module = run.recording.modules[run.recording.frames[stack.frames[i]].module];
      kernel += module.kind == ModuleKind::kKernel ? 1 : 0;
    }
    CHECK(gaps == std::vector<std::size_t>{kernel + CS_INNER_FRAMES});
    CHECK(stack.frames.size() == kernel + CS_USER_FRAMES + 1);
    CHECK(name(stack.frames.size() - 1) == "_start");
    CHECK(name(stack.frames.size() - CS_OUTER_FRAMES) == "recurse");
    CHECK_FALSE(stack.truncated);
  }
}

TEST_CASE("a stack that is too deep says so and keeps its innermost frames", "[bpf][sampling]") {
  const TargetRun run = record_target(
      {"t_recursive", "--depth", "100000", "--rounds", "2000", "--tails", "0", "--mutual", "0"},
      sampling(), {});
  CHECK(run.status == 0);
  REQUIRE_FALSE(run.recording.snapshots.empty());
  const StackSummary summary = summarize_stacks(run.recording);
  REQUIRE(summary.samples > 300);
  const std::uint64_t deep = summary.ends[static_cast<std::size_t>(StackEnd::kDepth)];
  CHECK(deep > summary.samples * 3 / 4);  // the others were less deep then
  CHECK(deep + summary.ends[static_cast<std::size_t>(StackEnd::kDeep)] +
            summary.ends[static_cast<std::size_t>(StackEnd::kComplete)] ==
        summary.samples);
  CHECK(run.quality("stacks_depth") == deep);
  // Their walks have a budget: unbounded ones take so long that most ticks are missed.
  const ResourceSnapshot& last = run.recording.snapshots.back();
  CHECK(static_cast<double>(summary.samples) >
        0.7 * 997 * static_cast<double>(last.utime_ns + last.stime_ns) / 1e9);
  for (const Stack& stack : run.recording.stacks) {
    if (stack.end != StackEnd::kDepth) continue;
    CHECK(stack.truncated);
    CHECK(std::ranges::count_if(stack.frames, [&](std::uint32_t frame) {
            return run.recording.frames[frame].function == "recurse";
          }) == CS_INNER_FRAMES);
  }
}
