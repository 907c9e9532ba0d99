// SPDX-License-Identifier: Apache-2.0
// Decides what to probe in one process: functions in, probes with cookies out. Knows nothing of
// BPF. Each function gets its id and its row from the registry. The exit strategy of each follows
// the policy; what cannot be had is said in notes, one line each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bpf/call_links.hpp"
#include "collect/exit_policy.hpp"
#include "collect/foreign_probes.hpp"
#include "collect/found_functions.hpp"
#include "collect/function_registry.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

// What the plan follows beside the functions.
struct PlanContext {
  ExitPolicy policy;
  std::span<const FunctionPattern> keep_arguments = {};  // functions whose arguments are wanted
  const ForeignProbes* foreign = nullptr;                // probes of others, to keep clear of
};

struct PlannedFunction {
  std::uint32_t id = 0;
  std::uint8_t intact_arguments = 0;  // see ProbeSite
};

struct ProbePlan {
  CallProbes probes;
  std::vector<PlannedFunction> functions;   // all that are probed
  std::vector<std::uint32_t> added;         // of these, new in the registry
  std::vector<std::uint32_t> tail_callees;  // ids of functions whose exits alone are probed
  std::vector<std::string> notes;
};

ProbePlan plan_probes(const FoundFunctions& found, const PlanContext& context,
                      Symbolizer& symbolizer, FunctionRegistry& registry);

}  // namespace callscope
