// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>

#include "model/stack_summary.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::FunctionShare;
using callscope::is_thread_start;
using callscope::Recording;
using callscope::StackSummary;
using callscope::summarize_stacks;

namespace {

FunctionShare share_of(const StackSummary& summary, const std::string& name) {
  const auto found = std::ranges::find(summary.functions, name, &FunctionShare::name);
  return found == summary.functions.end() ? FunctionShare{} : *found;
}

}  // namespace

TEST_CASE("self and total of a function count samples once, recursion included", "[unit]") {
  const StackSummary summary = summarize_stacks(callscope::test::sample_recording());
  CHECK(summary.samples == 495);
  CHECK(share_of(summary, "getCommand").self == 311);
  CHECK(share_of(summary, "getCommand").total == 455);  // twice in the last stack: 24, not 48
  CHECK(share_of(summary, "main").self == 0);
  CHECK(share_of(summary, "main").total == 495);
  CHECK(share_of(summary, "tcp_sendmsg").self == 120);
  CHECK(share_of(summary, "").self == 40);
  CHECK(summary.functions.front().name == "getCommand");
}

TEST_CASE("self counts add up to the samples", "[unit]") {
  const StackSummary summary = summarize_stacks(callscope::test::sample_recording());
  std::uint64_t self = 0;
  for (const FunctionShare& function : summary.functions) self += function.self;
  CHECK(self == summary.samples);
}

TEST_CASE("stacks are added over threads and sorted by count", "[unit]") {
  const StackSummary summary = summarize_stacks(callscope::test::sample_recording());
  REQUIRE(summary.stacks.size() == 4);
  CHECK(summary.stacks[0].stack == 0);
  CHECK(summary.stacks[0].count == 311);
  CHECK(summary.stacks[3].count == 24);
}

TEST_CASE("stacks through the same functions are one, by thread as well", "[unit]") {
  Recording recording = callscope::test::sample_recording();
  recording.frames.push_back({8, 0, 0x4a230, "getCommand", 32});  // another address in it
  recording.frames.push_back({9, 1, 0x1235, "", 0});              // another one without a name
  recording.stacks.push_back({4, {8, 0, 1, 2}, false});
  recording.stacks.push_back({5, {9, 0}, true});
  recording.cpu.push_back({4, 4242, 4242, 50});
  recording.cpu.push_back({5, 4242, 4242, 60});
  const StackSummary summary = summarize_stacks(recording);
  REQUIRE(summary.stacks.size() == 5);
  CHECK(summary.stacks[0].stack == 0);
  CHECK(summary.stacks[0].count == 361);
  CHECK(summary.stacks[0].threads ==
        std::vector<callscope::CpuSamples>{{0, 4242, 4242, 350, 30}, {0, 4242, 4243, 11}});
  CHECK(summary.stacks[2].stack == 5);
  CHECK(summary.stacks[2].count == 60);
}

TEST_CASE("the trust in stacks is counted in samples", "[unit]") {
  const StackSummary summary = summarize_stacks(callscope::test::sample_recording());
  CHECK(summary.kernel_leaf == 120);
  CHECK(summary.with_user == 495);
  CHECK(summary.reaching_start == 455);
  CHECK(summary.truncated == 40);
  CHECK(summary.unresolved_leaf == 40);
  CHECK(summary.unresolved_any == 40);
}

TEST_CASE("a stack of kernel frames only counts as no user stack", "[unit]") {
  Recording recording = callscope::test::sample_recording();
  recording.stacks = {{0, {4}, false}, {1, {}, true}};
  recording.cpu = {{0, 1, 1, 5}, {1, 1, 1, 2}};
  const StackSummary summary = summarize_stacks(recording);
  CHECK(summary.samples == 7);
  CHECK(summary.kernel_leaf == 5);
  CHECK(summary.with_user == 0);
  CHECK(summary.truncated == 2);
}

TEST_CASE("the start of a thread is known by name, with or without symbol version", "[unit]") {
  CHECK(is_thread_start("_start"));
  CHECK(is_thread_start("clone3"));
  CHECK(is_thread_start("__libc_start_main@@GLIBC_2.34"));
  CHECK_FALSE(is_thread_start("main"));
  CHECK_FALSE(is_thread_start(""));
}

TEST_CASE("an empty recording has an empty summary", "[unit]") {
  const StackSummary summary = summarize_stacks(Recording{});
  CHECK(summary.samples == 0);
  CHECK(summary.functions.empty());
  CHECK(summary.stacks.empty());
}
