// SPDX-License-Identifier: Apache-2.0
// Finds every instruction by which a function can be left: its ret instructions and tail jumps, in
// its .cold part too. A probe there sees the end of a call without touching the stack, so it is
// safe for programs that throw, unwind or switch stacks. Either all exits are found for certain, or
// the function is refused with a reason. Thread rule as for ModuleCode.
#pragma once

#include <vector>

#include "callscope/error.hpp"
#include "probes/function_code.hpp"
#include "probes/inner_jumps.hpp"
#include "probes/module_code.hpp"
#include "probes/probe_site.hpp"

namespace callscope {

// kUnsupported with the reason when an exit cannot be found for certain.
Result<std::vector<ExitSite>> find_exit_sites(const FunctionCode& code, const InnerJumps& jumps,
                                              ModuleCode& module);

// Moves exits from a ret, which the kernel single-steps, back to the jump that the stack protector
// puts before it: "jne fail" is taken only by a process that is about to be ended. Leaves alone
// what stands at the address of the entry probe.
void use_cheaper_exits(std::vector<ExitSite>& exits, std::uint64_t entry_addr,
                       const FunctionCode& code, const InnerJumps& jumps, ModuleCode& module);

}  // namespace callscope
