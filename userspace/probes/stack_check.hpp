// SPDX-License-Identifier: Apache-2.0
// The check at the start of code whose stack can grow (Go, gcc -fsplit-stack): too little room, and
// it asks for more and starts again from its first instruction. Behind the check each call passes
// once. Thread rule as for ModuleCode.
#pragma once

#include <cstddef>

#include "probes/function_code.hpp"
#include "probes/inner_jumps.hpp"
#include "probes/module_code.hpp"

namespace callscope {

// How many instructions of the function, from its first one, make the check; 0: it has none, or
// other code may start the function again, or come behind the check in another way.
std::size_t stack_check_length(const FunctionCode& code, const InnerJumps& jumps,
                               ModuleCode& module);

}  // namespace callscope
