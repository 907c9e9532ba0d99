// SPDX-License-Identifier: Apache-2.0
#include "single_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace callscope::test {
namespace {

constexpr std::size_t kShown = 10;

class Steps {
 public:
  Steps(StoppedProcess& process, const StepPlan& plan) : process_(process), plan_(plan) {}

  StepOutcome run() {
    bool walking = plan_.mark == 0;
    while (outcome_.steps < plan_.max_steps) {
      int deliver = process_.pending_signal();
      if (deliver != 0 && deliver == plan_.mark) {
        if (std::exchange(walking, true)) break;
        process_.read_code();
        deliver = 0;
      }
      if (!step(deliver, walking)) break;
    }
    return std::move(outcome_);
  }

 private:
  bool step(int deliver, bool walking) {
    const user_regs_struct before = process_.registers();
    bool alive = true;
    if (walking)
      note(before.rip, plan_.walk_and_step(process_, deliver, &alive));
    else
      alive = process_.step(deliver);
    if (!alive) return false;
    const user_regs_struct now = process_.registers();
    // A signal without a handler leaves the step undone or makes it as any other.
    if (deliver != 0 && now.rsp != before.rsp && now.rip != before.rip)
      chain_.enter_handler(process_, before, now);
    else
      chain_.step(process_, before, now);
    return true;
  }

  void note(std::uint64_t pc, const std::optional<WalkedStack>& walked) {
    if (walked)
      compare(pc, *walked);
    else
      ++outcome_.unwalked;
  }

  void compare(std::uint64_t pc, const WalkedStack& walked) {
    ++outcome_.steps;
    const std::vector<std::uint64_t> callers = chain_.callers();
    std::vector<std::uint64_t> found;
    if (!walked.frames.empty()) found.assign(walked.frames.begin() + 1, walked.frames.end());
    const bool same_leaf = !walked.frames.empty() && walked.frames[0] == pc;
    if (same_leaf && found == callers && walked.end == CS_STACK_COMPLETE) {
      ++outcome_.same;
    } else if (same_leaf && walked.end != CS_STACK_COMPLETE && found.size() <= callers.size() &&
               std::equal(found.begin(), found.end(), callers.begin())) {
      const auto end = static_cast<std::size_t>(walked.end);
      if (++outcome_.ended_early.at(end) == 1)
        outcome_.first_early.at(end) = fmt::format("at {}: {}", shown({pc}), shown(found));
    } else if (outcome_.wrong.size() < kShown) {
      outcome_.wrong.push_back(fmt::format("at {} end {}\n  found {}\n  calls {}", shown({pc}),
                                           walked.end, shown(found), shown(callers)));
    }
  }

  [[nodiscard]] std::string shown(const std::vector<std::uint64_t>& addrs) const {
    std::string text;
    for (const std::uint64_t addr : addrs) text += process_.walker().describe(addr) + " ";
    return text;
  }

  StoppedProcess& process_;
  const StepPlan& plan_;
  CallChain chain_;
  StepOutcome outcome_;
};

}  // namespace

std::string StepOutcome::describe() const {
  std::string text = fmt::format("{} of {}, {} not walked\n", same, steps, unwalked);
  for (std::size_t end = 0; end < ended_early.size(); ++end)
    if (ended_early[end] > 0)
      text +=
          fmt::format("{} ended early by {}, first {}\n", ended_early[end], end, first_early[end]);
  for (const std::string& one : wrong) text += one + "\n";
  return text;
}

StepOutcome step_through(StoppedProcess& process, const StepPlan& plan) {
  return Steps(process, plan).run();
}

}  // namespace callscope::test
