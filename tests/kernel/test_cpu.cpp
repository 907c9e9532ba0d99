// SPDX-License-Identifier: Apache-2.0
// CPU sampling: shares against the target's own clock, children, and the balance of what is lost.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "bpf/cpu_program.hpp"
#include "model/stack_summary.hpp"
#include "target_run.hpp"

using namespace callscope;
using test::record_target;
using test::TargetRun;

namespace {

RecordOptions sampling(std::uint64_t hz) {
  RecordOptions options;
  options.sample_hz = hz;
  return options;
}

std::uint64_t sample_count(const Recording& recording) {
  std::uint64_t sum = 0;
  for (const CpuSamples& samples : recording.cpu) sum += samples.count;
  return sum;
}

// Samples whose leaf is in this function, per mille of all user leaves of hot functions.
std::map<std::string, double> hot_shares(const Recording& recording) {
  std::map<std::string, double> counts;
  double sum = 0;
  for (const CpuSamples& samples : recording.cpu)
    for (const std::uint32_t frame : recording.stacks[samples.stack].frames) {
      const std::string& name = recording.frames[frame].function;
      if (!name.starts_with("hot_")) continue;
      counts[name] += static_cast<double>(samples.count);
      sum += static_cast<double>(samples.count);
      break;
    }
  for (auto& [name, count] : counts) count = 1000 * count / sum;
  return counts;
}

}  // namespace

TEST_CASE("shares of CPU time agree with the target's own measurement", "[bpf][sampling]") {
  const std::string target = GENERATE("t_busy", "t_busy_nopie");
  const TargetRun run = record_target({target, "--ms", "3000"}, sampling(997), {});
  CHECK(run.status == 0);
  std::map<std::string, double> shares = hot_shares(run.recording);
  for (const std::string name : {"hot_50", "hot_30", "hot_20"}) {
    INFO(name);
    CHECK(shares[name] == Approx(run.truth.at("share_permille " + name)).margin(30));
  }
  CHECK(run.quality("stack_table_full") == 0);
  CHECK(run.quality("stacks_not_received") == 0);
}

TEST_CASE("frame-pointer stacks reach the start of the thread", "[bpf][sampling]") {
  const TargetRun run = record_target({"t_busy", "--ms", "1000"}, sampling(499), {});
  std::uint64_t complete = 0;
  for (const CpuSamples& samples : run.recording.cpu) {
    std::vector<std::string> names;
    for (const std::uint32_t frame : run.recording.stacks[samples.stack].frames)
      names.push_back(run.recording.frames[frame].function);
    if (std::ranges::find(names, "chain_1") != names.end() &&
        std::ranges::find(names, "worker") != names.end())
      complete += samples.count;
  }
  CHECK(static_cast<double>(complete) >= 0.95 * static_cast<double>(sample_count(run.recording)));
}

TEST_CASE("forked children are sampled unless that is switched off", "[bpf][sampling]") {
  RecordOptions options = sampling(499);
  options.follow_children = GENERATE(true, false);
  const TargetRun run = record_target({"t_busy", "--fork", "--ms", "1000"}, options, {});
  std::uint64_t children = 0;
  for (const CpuSamples& samples : run.recording.cpu)
    if (samples.pid != run.recording.target.pid) children += samples.count;
  if (options.follow_children) {
    CHECK(children > 100);
    CHECK(hot_shares(run.recording)["hot_50"] == Approx(500).margin(80));
  } else {
    CHECK(children == 0);
  }
}

TEST_CASE("a sleeping process has next to no samples", "[bpf][sampling]") {
  const TargetRun run =
      record_target({"t_busy", "--idle", "--workers", "1", "--ms", "2000"}, sampling(499), {});
  CHECK(sample_count(run.recording) < 499 * 2 / 4);
}

TEST_CASE("when the stack table is full, the losses and the samples add up", "[bpf][sampling]") {
  test::Child child({test::target_path("t_busy"), "--wait", "--ms", "1500"});
  child.read_until("ready");
  const Result<UnwindMaps> unwind = UnwindMaps::create({});
  REQUIRE(unwind);
  Result<CpuProgram> program = CpuProgram::load(
      {.tgid = static_cast<std::uint32_t>(child.pid()), .sample_hz = 1999, .max_stacks = 2},
      *unwind, {[](const cs_stack_record&) {}, [](const cs_process_record&) {}});
  REQUIRE(program);
  REQUIRE(program->attach());
  program->enable();
  child.send("\n");
  child.read_until("done");
  program->stop();
  const auto counts = program->counts();
  REQUIRE(counts);
  std::uint64_t counted = 0;
  for (const CpuProgram::Counted& row : *counts) counted += row.count;
  CHECK(program->counter(CS_STAT_STACK_TABLE_FULL) > 0);
  CHECK(counted + program->counter(CS_STAT_STACK_TABLE_FULL) == program->counter(CS_STAT_SAMPLES));
}

// Also where there is no Python: the verifier of this kernel takes them.
TEST_CASE("programs that walk Python frames take over and count each sample", "[bpf][sampling]") {
  test::Child child({test::target_path("t_busy"), "--wait", "--ms", "1500"});
  child.read_until("ready");
  const auto tgid = static_cast<std::uint32_t>(child.pid());
  std::uint64_t received = 0;
  const Result<UnwindMaps> unwind = UnwindMaps::create({});
  REQUIRE(unwind);
  Result<CpuProgram> program = CpuProgram::load(
      {.tgid = tgid, .sample_hz = 499}, *unwind,
      {[&](const cs_stack_record&) { ++received; }, [](const cs_process_record&) {}});
  REQUIRE(program);
  REQUIRE(program->attach());
  program->enable();
  const Result<void> taken_over = program->set_python(tgid, {});
  if (!taken_over) FAIL(taken_over.error().message());
  child.send("\n");
  child.read_until("done");
  program->stop();
  program->drain();
  CHECK(program->counter(CS_STAT_SAMPLES) > 200);
  const auto counts = program->counts();
  REQUIRE(counts);
  std::uint64_t counted = 0;
  for (const CpuProgram::Counted& row : *counts) counted += row.count;
  CHECK(counted == program->counter(CS_STAT_SAMPLES));
  CHECK(received == counts->size());
}

TEST_CASE("a full ring loses no counts and sends the stacks again", "[bpf][sampling]") {
  test::Child child({test::target_path("t_busy"), "--wait", "--workers", "16", "--ms", "1500"});
  child.read_until("ready");
  std::uint64_t received = 0;
  const Result<UnwindMaps> unwind = UnwindMaps::create({});
  REQUIRE(unwind);
  Result<CpuProgram> program = CpuProgram::load(
      {.tgid = static_cast<std::uint32_t>(child.pid()), .sample_hz = 1999, .ring_bytes = 4096},
      *unwind, {[&](const cs_stack_record&) { ++received; }, [](const cs_process_record&) {}});
  REQUIRE(program);
  REQUIRE(program->attach());
  program->enable();
  child.send("\n");
  child.read_until("done");  // the ring is not drained meanwhile
  program->stop();
  program->drain();
  const auto counts = program->counts();
  REQUIRE(counts);
  std::uint64_t counted = 0;
  for (const CpuProgram::Counted& row : *counts) counted += row.count;
  CHECK(program->counter(CS_STAT_RING_FULL) > 0);
  CHECK(counted == program->counter(CS_STAT_SAMPLES));
  CHECK(received < counts->size());
}
