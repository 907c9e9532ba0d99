// SPDX-License-Identifier: Apache-2.0
// Holds the probes of all functions together under the budget: measures what each costs, and when
// the sum runs over, sheds the hottest functions first, by the mildest step that helps: time one
// call in N, then count only, then remove. Pure: no clock, no BPF. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "callscope/recording.hpp"

namespace callscope {

// One function as its counters stand at a moment.
struct FunctionLoad {
  std::uint32_t func = 0;
  std::uint64_t timed = 0;    // calls since its probes were attached
  std::uint64_t counted = 0;  // further calls that were only counted
  std::uint64_t timed_cost_ns = 0;
  std::uint64_t counted_cost_ns = 0;
  bool exits_always_fire = false;  // ret-site: calls that are only counted pay for the exit as well
  std::uint32_t shift = 0;         // now one in 2^shift calls is timed
};

enum class Shedding { kSample, kCountOnly, kRemove };

struct SheddingStep {
  std::uint32_t func = 0;
  Shedding step = Shedding::kSample;
  std::uint32_t shift = 0;  // of kSample
};

class BudgetGovernor {
 public:
  // percent of one CPU; above 0.
  explicit BudgetGovernor(double percent) : share_(percent / 100) {}

  // To call often (100 ms, and when a function bursts), with all functions that still have probes.
  // now_ns rises. What it returns must be done before the next call.
  std::vector<SheddingStep> steps(std::uint64_t now_ns, const std::vector<FunctionLoad>& loads);

  // Probe time of all functions so far, as predicted.
  [[nodiscard]] double spent_ns() const { return spent_total_ns_; }

 private:
  struct Seen {
    std::uint64_t timed = 0;
    std::uint64_t counted = 0;
  };

  double share_;
  std::uint64_t last_ns_ = 0;
  double bucket_ns_ = 0;  // spent and not yet leaked away at the rate of the budget
  double spent_total_ns_ = 0;
  std::map<std::uint32_t, Seen> seen_;
};

}  // namespace callscope
