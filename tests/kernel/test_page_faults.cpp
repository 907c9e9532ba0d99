// SPDX-License-Identifier: Apache-2.0
// Page faults by stack, against what a program says that it has touched.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "live_run.hpp"
#include "target_run.hpp"

using namespace callscope;
using test::record_target;
using test::TargetRun;

namespace {

constexpr std::uint64_t kPageBytes = 4096;

RecordOptions faults_only() {
  RecordOptions options;
  options.page_faults = true;
  options.sample_hz = 0;
  return options;
}

bool has_function(const Recording& recording, const PageFaults& faults,
                  const std::string& function) {
  return std::ranges::any_of(recording.stacks[faults.stack].frames, [&](std::uint32_t id) {
    return recording.frames[id].function == function;
  });
}

}  // namespace

TEST_CASE("page faults are counted in the stack that touches new memory", "[bpf]") {
  const TargetRun run = record_target({"t_grow", "--ms", "500"}, faults_only(), {});
  CHECK(run.status == 0);
  CHECK(run.recording.cpu.empty());
  std::uint64_t in_grow = 0, all = 0;
  for (const PageFaults& faults : run.recording.faults) {
    all += faults.count;
    if (!has_function(run.recording, faults, "grow")) continue;
    in_grow += faults.count;
    CHECK(run.recording.stacks[faults.stack].end == StackEnd::kComplete);
    CHECK(has_function(run.recording, faults, "main"));
  }
  const std::uint64_t pages = run.truth.at("bytes grown") / kPageBytes;
  CHECK(pages > 500);
  CHECK(in_grow >= pages);
  CHECK(in_grow <= pages + 100);  // and its code, its stack
  CHECK(run.quality("page_faults") == all);
  for (const char* const key : {"faults_lost", "fault_stacks_not_received", "faults_not_walked"}) {
    INFO(key);
    CHECK(run.quality(key) == 0);
  }
}

TEST_CASE("page faults beyond what walks may cost are counted without a stack", "[bpf][long]") {
  const TargetRun run =
      record_target({"t_grow", "--ms", "500", "--kb-per-second", "1000000"}, faults_only(), {});
  CHECK(run.status == 0);
  std::uint64_t without = 0, all = 0;
  for (const PageFaults& faults : run.recording.faults) {
    all += faults.count;
    if (run.recording.stacks[faults.stack].end == StackEnd::kNoUser) without += faults.count;
  }
  CHECK(all == run.quality("page_faults"));
  CHECK(all >= run.truth.at("bytes grown") / kPageBytes);
  CHECK(without > 0);
  CHECK(without == run.quality("faults_not_walked"));
}

TEST_CASE("children's page faults are seen, too", "[bpf]") {
  test::LiveRun live({"t_fork"}, faults_only(), {});
  live.send("\n");
  const TargetRun run = live.finish();
  CHECK(std::ranges::any_of(run.recording.faults,
                            [&](const PageFaults& faults) { return faults.pid != live.pid(); }));
}
