// SPDX-License-Identifier: Apache-2.0
// The walker in the kernel at every instruction of every kind of frame, and on stacks that were
// overwritten. What was executed is the truth.
#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "stopped_walker.hpp"
#include "target_run.hpp"
#include "tests/stopped/single_steps.hpp"

using namespace callscope;
using test::StepOutcome;
using test::StepPlan;
using test::StoppedProcess;
using test::StoppedWalker;
using test::target_path;
using test::WalkedStack;

namespace {

constexpr std::size_t kDeep = 14;  // six or more of which are of the target

// Stopped in a call of step_recursive, with this walk.
struct Deep {
  explicit Deep(const std::string& target) : process({target_path(target)}) {
    while (process.run(process.pending_signal()) != SIGUSR2) {
    }
    process.read_code();
    walker = std::make_unique<StoppedWalker>(process);
    do {
      REQUIRE(process.step());
      whole = process.walk();
    } while (whole.frames.size() < kDeep || whole.end != CS_STACK_COMPLETE || !has_own_frame());
  }

  // Its prologue has begun.
  [[nodiscard]] bool has_own_frame() const {
    return process.walker().describe(whole.frames[0]).starts_with("t_steps") &&
           process.registers().rsp < process.slot_of(whole.frames, 1);
  }
  WalkedStack walk() {
    bool alive = true;
    const auto walked = walker->walk_and_step(process, 0, &alive);
    REQUIRE(walked);
    return *walked;
  }
  [[nodiscard]] std::vector<std::uint64_t> innermost(std::size_t count) const {
    return {whole.frames.begin(), whole.frames.begin() + static_cast<std::ptrdiff_t>(count)};
  }

  StoppedProcess process;
  std::unique_ptr<StoppedWalker> walker;
  WalkedStack whole;
};

// No process of ours has code there: not canonical, the kernel's, the null page.
constexpr std::uint64_t kNoCode[] = {0x4141414141414141, 0xffffffffffffffff, 0xffffffff81000000,
                                     0x1000};

}  // namespace

TEST_CASE("at each instruction of each kind of frame the walk finds the calls that are open",
          "[bpf][long]") {
  const std::string target = GENERATE("t_steps_plain", "t_steps_optimized");
  INFO(target);
  StoppedProcess process({target_path(target)});
  std::unique_ptr<StoppedWalker> walker;
  StepPlan plan{100'000, SIGUSR2, {}};
  plan.walk_and_step = [&](StoppedProcess& stopped, int deliver, bool* alive) {
    if (!walker) walker = std::make_unique<StoppedWalker>(stopped);
    return walker->walk_and_step(stopped, deliver, alive);
  };
  const StepOutcome outcome = test::step_through(process, plan);
  INFO(outcome.describe());
  CHECK(outcome.steps > 5'000);
  CHECK(outcome.wrong.empty());
  CHECK(outcome.same == outcome.steps);
  CHECK(outcome.unwalked == 2);  // the first instructions of its two signal handlers
}

TEST_CASE("a return address that was overwritten ends the walk and is no frame", "[bpf][long]") {
  const std::string target = GENERATE("t_steps_plain", "t_steps_optimized");
  const std::size_t at = GENERATE(1U, 2U, 5U);
  const std::uint64_t garbage = GENERATE(from_range(std::begin(kNoCode), std::end(kNoCode)));
  INFO(target << " frame " << at << " garbage " << garbage);
  Deep deep(target);
  deep.process.set_word(deep.process.slot_of(deep.whole.frames, at), garbage);
  const WalkedStack walked = deep.walk();
  CHECK(walked.end == CS_STACK_NO_MAPPING);
  CHECK(walked.frames == deep.innermost(at));
}

TEST_CASE("a frame pointer that was overwritten ends the walk at the frame that needs it",
          "[bpf][long]") {
  const std::size_t at = GENERATE(1U, 2U, 5U);
  const std::uint64_t garbage = GENERATE(from_range(std::begin(kNoCode), std::end(kNoCode)));
  INFO("frame " << at << " garbage " << garbage);
  Deep deep("t_steps_plain");
  // The frame pointer of the caller lies below the address that returns to it.
  deep.process.set_word(deep.process.slot_of(deep.whole.frames, at) - 8, garbage);
  const WalkedStack walked = deep.walk();
  CHECK((walked.end == CS_STACK_READ_FAULT || walked.end == CS_STACK_BACKWARD));
  CHECK(walked.frames == deep.innermost(at + 1));
}

TEST_CASE("a stack that cannot be read ends the walk at once", "[bpf][long]") {
  const std::uint64_t garbage = GENERATE(from_range(std::begin(kNoCode), std::end(kNoCode)));
  INFO("garbage " << garbage);
  Deep deep("t_steps_optimized");
  user_regs_struct regs = deep.process.registers();
  regs.rsp = garbage;
  deep.process.set_registers(regs);
  const WalkedStack walked = deep.walk();
  CHECK((walked.end == CS_STACK_READ_FAULT || walked.end == CS_STACK_BACKWARD));
  CHECK(walked.frames == deep.innermost(1));
}

TEST_CASE("of a stack full of noise only the leaf is shown", "[bpf][long]") {
  const std::string target = GENERATE("t_steps_plain", "t_steps_optimized");
  const unsigned seed = GENERATE(1U, 2U, 3U, 4U);
  INFO(target << " seed " << seed);
  Deep deep(target);
  std::mt19937_64 random(seed);
  const std::uint64_t sp = deep.process.registers().rsp;
  for (std::uint64_t off = 0; off < 1024; off += 8) deep.process.set_word(sp + off, random());
  const WalkedStack walked = deep.walk();
  CHECK(walked.end == CS_STACK_NO_MAPPING);
  CHECK(walked.frames == deep.innermost(1));
}
