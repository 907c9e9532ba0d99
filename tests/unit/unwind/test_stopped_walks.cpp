// SPDX-License-Identifier: Apache-2.0
// The walker in a program that is stopped at a chosen point: in signal handlers on another
// stack, and with a stack that was overwritten.
#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <vector>

#include "tests/stopped/stopped_process.hpp"

using namespace callscope::test;

namespace {

// A few calls deep, after some thousand instructions.
WalkedStack walk_deep(StoppedProcess& process) {
  for (int i = 0; i < 40'000; ++i) REQUIRE(process.step());
  process.read_code();
  WalkedStack walked = process.walk();
  for (int i = 0; i < 40'000 && walked.frames.size() < 4; ++i) {
    REQUIRE(process.step());
    walked = process.walk();
  }
  REQUIRE(walked.frames.size() >= 4);
  REQUIRE(walked.end == CS_STACK_COMPLETE);
  return walked;
}

}  // namespace

TEST_CASE("through a signal frame the walk goes on in the interrupted stack", "[unit]") {
  // Nine on the stack of the thread, nine on an alternate one.
  StoppedProcess process({CALLSCOPE_SIGNALS_TARGET, "--signals", "9"});
  std::size_t deepest = 0;
  for (int round = 0; round < 18; ++round) {
    REQUIRE(process.run() == SIGALRM);
    process.read_code();
    const WalkedStack interrupted = process.walk();
    REQUIRE(interrupted.end == CS_STACK_COMPLETE);
    REQUIRE(process.step(SIGALRM));
    for (int i = 0; i < 200; ++i) {
      const WalkedStack walked = process.walk();
      if (walked.frames.size() <= interrupted.frames.size()) break;  // it has returned
      CHECK(walked.end == CS_STACK_COMPLETE);
      CHECK(std::equal(interrupted.frames.rbegin(), interrupted.frames.rend(),
                       walked.frames.rbegin()));
      deepest = std::max(deepest, walked.frames.size() - interrupted.frames.size());
      REQUIRE(process.step());
    }
  }
  CHECK(deepest >= 3);  // the handler, what it calls, and the trampoline
}

TEST_CASE("an overwritten return address ends the walk and is no frame", "[unit]") {
  StoppedProcess process({"/bin/ls", "-l", "/"});
  const WalkedStack whole = walk_deep(process);
  const std::size_t at = GENERATE(1U, 2U);
  const std::uint64_t slot = process.slot_of(whole.frames, at);
  const std::uint64_t no_code = process.registers().rsp;
  const std::uint64_t garbage =
      GENERATE_COPY(0x4141414141414141U, 0xffffffffffffffffU, 0x1000U, 0U, no_code);
  process.set_word(slot, garbage);
  const WalkedStack walked = process.walk();
  CHECK(walked.end == (garbage == 0 ? CS_STACK_ZERO_RETURN : CS_STACK_NO_MAPPING));
  CHECK(walked.frames ==
        std::vector(whole.frames.begin(), whole.frames.begin() + static_cast<std::ptrdiff_t>(at)));
}
