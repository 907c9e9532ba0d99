// SPDX-License-Identifier: Apache-2.0
// Decides what to probe in one process: functions in, probes with cookies out. Knows nothing of
// BPF. Each function gets its id and its row from the registry. The exit strategy of each follows
// the policy; what cannot be had is said in notes, one line each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bpf/call_links.hpp"
#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "collect/exit_policy.hpp"
#include "collect/foreign_probes.hpp"
#include "collect/function_registry.hpp"
#include "probes/function_finder.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

// Names with a reason each, for one line: "5 HEAD: a (why), b (why), ... and 3 more".
using NamedReasons = std::vector<std::pair<std::string, std::string>>;
std::string list_note(const std::string& head, const NamedReasons& items);

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
  std::vector<PlannedFunction> functions;  // all that are probed
  std::vector<std::uint32_t> added;        // of these, new in the registry
  std::vector<std::string> notes;
};

// The module of the target's executable; nullptr if it is not mapped or not readable.
CachedModule* executable_module(std::int32_t pid, const Symbolizer& symbolizer);

// The modules of a process that may be probed, its executable marked. Pointers into the symbolizer,
// which must have been refreshed for pid.
std::vector<ProbeModule> probe_modules(std::int32_t pid, Symbolizer& symbolizer,
                                       std::span<const FunctionPattern> patterns);

// What the patterns match in these modules; kUsage when nothing at all, with a hint.
struct FoundFunctions {
  std::vector<ProbeModule> modules;
  std::vector<FoundFunction> functions;
  std::vector<std::string> notes;  // what cannot be probed, patterns without a match
};
Result<FoundFunctions> find_probed_functions(std::int32_t pid, Symbolizer& symbolizer,
                                             std::span<const FunctionPattern> patterns);

ProbePlan plan_probes(const FoundFunctions& found, const PlanContext& context,
                      Symbolizer& symbolizer, FunctionRegistry& registry);

}  // namespace callscope
