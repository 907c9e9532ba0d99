// SPDX-License-Identifier: Apache-2.0
// Which functions are worth probing, from the CPU samples so far: those of the executable on hot
// stacks, and their callers in the executable. Pure reading.
#pragma once

#include <cstddef>

#include "callscope/recording.hpp"
#include "collect/probe_plan.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

// At most max_functions, hottest first; none while there are too few samples to tell.
FoundFunctions find_hot_functions(const Recording& recording, Symbolizer& symbolizer,
                                  std::size_t max_functions);

}  // namespace callscope
