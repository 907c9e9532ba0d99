// SPDX-License-Identifier: Apache-2.0
// Chooses where a function's entry probe stands: at the first instruction that the kernel emulates,
// if every call reaches it exactly once and nothing else does; else at the very first one. The way
// there is straight-line code only. Thread rule as for ModuleCode.
#pragma once

#include <cstddef>

#include "probes/function_code.hpp"
#include "probes/inner_jumps.hpp"
#include "probes/module_code.hpp"
#include "probes/probe_site.hpp"

namespace callscope {

struct EntryRules {
  // The kernel will replace the word at [rsp]: rsp must be as at the first instruction. A hard rule
  // for return probes; without one the site may lie behind a change of rsp that is known exactly.
  bool keep_stack = true;
  bool keep_arguments = false;  // the six integer arguments must still be in their registers
  bool avoid_calls = false;     // a call is no site
  bool counts_only = false;     // where the return address lies does not matter
  std::size_t behind = 0;       // instructions that the site must not stand on: a stack check
};

// It may be a tail jump, and so an exit too.
ProbeSite choose_entry_site(const FunctionCode& code, const InnerJumps& jumps, EntryRules rules,
                            ModuleCode& module);

}  // namespace callscope
