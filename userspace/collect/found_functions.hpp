// SPDX-License-Identifier: Apache-2.0
// What the patterns of the user match in the modules of one process.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "probes/function_finder.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

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

}  // namespace callscope
