// SPDX-License-Identifier: Apache-2.0
// The walker at every instruction: programs are single-stepped from their first one, and each walk
// is compared with the calls and returns that were executed. So every prologue, epilogue, jump
// stub and assembler routine on the way is met in all of its states.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "tests/stopped/single_steps.hpp"

using namespace callscope::test;

namespace {

std::optional<WalkedStack> walk_and_step(StoppedProcess& process, int deliver, bool* alive) {
  WalkedStack walked = process.walk();
  if (walked.end == CS_STACK_NO_MAPPING) {
    process.read_code();
    walked = process.walk();
  }
  *alive = process.step(deliver);
  return walked;
}

}  // namespace

TEST_CASE("at each instruction of a program the walk finds the calls that are open", "[unit]") {
  const auto argv = GENERATE(std::vector<std::string>{"/bin/true"},
                             std::vector<std::string>{"/bin/ls", "-l", "/"});
  INFO(argv[0]);
  StoppedProcess process(argv);
  const StepOutcome outcome = step_through(process, {150'000, 0, walk_and_step});
  INFO(outcome.describe());
  CHECK(outcome.steps > 50'000);
  CHECK(outcome.wrong.empty());
  CHECK(static_cast<double>(outcome.same) >= 0.995 * static_cast<double>(outcome.steps));
}
