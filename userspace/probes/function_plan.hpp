// SPDX-License-Identifier: Apache-2.0
// Where the probes of one function go and how the end of its calls is seen: the cheapest way that
// is safe in its process. Everything follows from the module's file; nothing is attached here.
// Thread rule as for ModuleCode.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "probes/function_finder.hpp"
#include "probes/module_code.hpp"
#include "probes/probe_site.hpp"

namespace callscope {

struct PlanRules {
  ExitMode best = ExitMode::kUretprobe;  // what the process allows any function
  // best is below kUretprobe only because an unwinder is mapped: a function that provably cannot be
  // unwound through may have a return probe all the same.
  bool proof_allows_return_probe = false;
  bool keep_arguments = false;  // the entry probe wants all six integer arguments
  // The process runs with a CET shadow stack, which the kernel may forget when it emulates a call:
  // then no probe is slid to one.
  bool shadow_stack = false;
  // A function whose exit sites are cheaper than a return probe gets those; false: when the user
  // has asked for return probes.
  bool prefer_cheap = true;
};

struct FunctionPlan {
  ExitMode exit = ExitMode::kEntryOnly;
  ProbeSite entry = {};
  // Of kRetSite. A tail jump may be the entry site too, in a function that only jumps on: then the
  // entry's probe must run before the exit's.
  std::vector<ExitSite> exits = {};
  // A jump of the function back to its first instruction counts as a call.
  bool counts_restarts = false;
  // One clause; empty when the exit is what the rules call best.
  std::string why_not_better = {};
};

FunctionPlan plan_function(const FoundFunction& function, ModuleCode& module,
                           const PlanRules& rules);

// Exits of the code at an address, to end the calls of those that jump to it. kUnsupported when
// they cannot be found for certain.
Result<std::vector<ExitSite>> exit_sites_at(std::uint64_t addr, ModuleCode& module);

// All exits stand on emulated instructions.
bool exits_are_emulated(const FunctionPlan& plan);

}  // namespace callscope
