// SPDX-License-Identifier: Apache-2.0
// Decides what to probe: patterns and the target's modules in, probes with cookies and one
// FunctionStats per function out. Knows nothing of BPF. The exit strategy of each function follows
// the policy; what cannot be had is said in notes, one line each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bpf/calls_program.hpp"
#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "probes/function_finder.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

// How the end of calls may be seen in this target.
struct ExitPolicy {
  ExitMode best = ExitMode::kUretprobe;  // what a function gets if it can
  std::string reason;                    // why not better; empty for kUretprobe
};

// Names with a reason each, for one line: "5 HEAD: a (why), b (why), ... and 3 more".
using NamedReasons = std::vector<std::pair<std::string, std::string>>;
std::string list_note(const std::string& head, const NamedReasons& items);

struct ProbePlan {
  CallProbes probes;
  std::vector<FunctionStats> functions;  // index = cookie
  std::vector<std::string> notes;
};

// The module of the target's executable; nullptr if it is not mapped or not readable.
CachedModule* executable_module(std::int32_t pid, const Symbolizer& symbolizer);

// The modules of a process that may be probed, its executable marked. Pointers into the symbolizer.
std::vector<ProbeModule> probe_modules(std::int32_t pid, Symbolizer& symbolizer,
                                       std::span<const FunctionPattern> patterns);

// The symbolizer must have been refreshed for pid. kUsage when nothing matches at all.
Result<ProbePlan> plan_probes(std::int32_t pid, Symbolizer& symbolizer,
                              std::span<const FunctionPattern> patterns, const ExitPolicy& policy);

}  // namespace callscope
