// SPDX-License-Identifier: Apache-2.0
// The walker at every instruction: programs are single-stepped from their first one, and each walk
// is compared with the calls and returns that were executed. So every prologue, epilogue, jump
// stub and assembler routine on the way is met in all of its states.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "stopped_process.hpp"

using namespace callscope::test;

namespace {

// The calls that are open, as executed.
class CallChain {
 public:
  void step(StoppedProcess& process, const user_regs_struct& before, const user_regs_struct& now) {
    const std::uint64_t return_addr = process.word(now.rsp);
    const bool behind = return_addr > before.rip && return_addr <= before.rip + 7;
    const bool jumped = now.rip < before.rip || now.rip > before.rip + 15;
    if (now.rsp == before.rsp - 8 && behind && (jumped || now.rip == return_addr))
      open_.push_back({now.rsp, return_addr});
    // Returns, and longjmps across several frames.
    while (!open_.empty() && open_.back().slot < now.rsp && now.rsp - open_.back().slot < kStack)
      open_.pop_back();
  }

  // Return addresses, innermost first.
  [[nodiscard]] std::vector<std::uint64_t> callers() const {
    std::vector<std::uint64_t> addrs;
    for (auto call = open_.rbegin(); call != open_.rend(); ++call) addrs.push_back(call->addr);
    return addrs;
  }

 private:
  static constexpr std::uint64_t kStack = 8U << 20;
  struct Call {
    std::uint64_t slot;
    std::uint64_t addr;
  };
  std::vector<Call> open_;
};

struct Outcome {
  std::size_t steps = 0;
  std::size_t same = 0;
  std::array<std::size_t, CS_STACK_ENDS> ended_early{};  // with a reason: fewer frames, none wrong
  std::array<std::string, CS_STACK_ENDS> first_early{};
  std::vector<std::string> wrong;
};

std::string hex(const std::vector<std::uint64_t>& addrs) {
  std::string text;
  for (const std::uint64_t addr : addrs)
    text += Catch::StringMaker<void*>::convert(reinterpret_cast<void*>(addr)) + " ";
  return text;
}

std::string described(const Outcome& outcome) {
  std::string text = std::to_string(outcome.same) + " of " + std::to_string(outcome.steps) + "\n";
  for (std::size_t end = 0; end < outcome.ended_early.size(); ++end)
    if (outcome.ended_early[end] > 0)
      text += std::to_string(outcome.ended_early[end]) + " ended early by " + std::to_string(end) +
              ", first " + outcome.first_early[end] + "\n";
  for (const std::string& wrong : outcome.wrong) text += wrong + "\n";
  return text;
}

Outcome step_through(std::vector<std::string> argv, std::size_t max_steps) {
  StoppedProcess process(std::move(argv));
  CallChain chain;
  Outcome outcome;
  user_regs_struct before = process.registers();
  while (outcome.steps < max_steps && process.step()) {
    ++outcome.steps;
    const user_regs_struct now = process.registers();
    chain.step(process, before, now);
    before = now;
    WalkedStack walked = process.walk();
    if (walked.end == CS_STACK_NO_MAPPING) {
      process.read_code();
      walked = process.walk();
    }
    std::vector<std::uint64_t> callers = chain.callers();
    const std::vector<std::uint64_t> found(walked.frames.begin() + 1, walked.frames.end());
    if (found == callers && walked.end == CS_STACK_COMPLETE) {
      ++outcome.same;
    } else if (walked.end != CS_STACK_COMPLETE && found.size() <= callers.size() &&
               std::equal(found.begin(), found.end(), callers.begin())) {
      const auto end = static_cast<std::size_t>(walked.end);
      if (++outcome.ended_early.at(end) == 1)
        outcome.first_early.at(end) = "at " + hex({now.rip}) + ": " + hex(found);
    } else if (outcome.wrong.size() < 10) {
      outcome.wrong.push_back("at " + hex({now.rip}) + "end " + std::to_string(walked.end) +
                              "\n  found " + hex(found) + "\n  calls " + hex(callers));
    }
  }
  return outcome;
}

}  // namespace

TEST_CASE("at each instruction of a program the walk finds the calls that are open", "[unit]") {
  const auto argv = GENERATE(std::vector<std::string>{"/bin/true"},
                             std::vector<std::string>{"/bin/ls", "-l", "/"});
  INFO(argv[0]);
  const Outcome outcome = step_through(argv, 150'000);
  INFO(described(outcome));
  CHECK(outcome.steps > 50'000);
  CHECK(outcome.wrong.empty());
  CHECK(static_cast<double>(outcome.same) >= 0.995 * static_cast<double>(outcome.steps));
}
