// SPDX-License-Identifier: Apache-2.0
// From what debug information says about inlining to what the user is told. Pure; one thread.
#pragma once

#include <span>

#include "callscope/recording.hpp"
#include "collect/inlined_search.hpp"

namespace callscope {

// Sets FunctionStats::inlined_copies and says in notes which calls are not seen: of functions that
// have code as well, and of functions that have none of their own and so no probe at all. To be
// called once for a recording, before its names are demangled.
void apply_inlined(std::span<const ModuleInlines> modules, Recording& recording);

}  // namespace callscope
