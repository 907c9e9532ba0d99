// SPDX-License-Identifier: Apache-2.0
// Executes a program one instruction at a time and compares the walk at each with the calls that
// are open, as executed. For tests only.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "call_chain.hpp"
#include "stopped_process.hpp"

namespace callscope::test {

struct StepOutcome {
  std::size_t steps = 0;  // that were walked
  std::size_t unwalked = 0;
  std::size_t same = 0;
  std::array<std::size_t, CS_STACK_ENDS> ended_early{};  // with a reason: fewer frames, none wrong
  std::array<std::string, CS_STACK_ENDS> first_early{};
  std::vector<std::string> wrong;  // the first ten

  [[nodiscard]] std::string describe() const;
};

struct StepPlan {
  std::size_t max_steps = 0;  // walked ones
  // Walks begin when the program sends itself this signal and end when it does so again; 0: they
  // begin at once. Other signals are delivered to their handlers.
  int mark = 0;
  // Walks the process where it stands and executes one instruction, delivering the signal (0:
  // none). Sets *alive as StoppedProcess::step() does. nullopt: no walk can be made here.
  std::function<std::optional<WalkedStack>(StoppedProcess&, int deliver, bool* alive)>
      walk_and_step;
};

StepOutcome step_through(StoppedProcess& process, const StepPlan& plan);

}  // namespace callscope::test
