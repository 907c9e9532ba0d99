// SPDX-License-Identifier: Apache-2.0
// Keeps the probes of the calls BPF program under the budget: reads what each function costs, asks
// the governor, and carries out what it says. Functions that were touched say so in their row. One
// thread; the Recording must outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "bpf/calls_program.hpp"
#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "collect/budget_governor.hpp"
#include "collect/function_registry.hpp"

namespace callscope {

class CallBudget {
 public:
  // percent of one CPU; 0: no limit.
  explicit CallBudget(double percent) {
    if (percent > 0) governor_.emplace(percent);
  }

  // begin_ns: of the recording, on the clock of now_ns.
  Result<void> keep(CallsProgram& program, const FunctionRegistry& registry,
                    const ProbeCosts& costs, std::uint64_t begin_ns, std::uint64_t now_ns);
  [[nodiscard]] std::uint64_t tail_callees_removed() const { return tail_callees_removed_; }

 private:
  std::vector<FunctionLoad> loads(const CallsProgram& program, const FunctionRegistry& registry,
                                  const ProbeCosts& costs) const;

  std::optional<BudgetGovernor> governor_;
  std::uint64_t tail_callees_removed_ = 0;
  std::set<std::uint32_t> removed_;
  std::set<std::uint32_t> counted_;  // no longer timed
};

}  // namespace callscope
