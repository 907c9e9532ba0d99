// SPDX-License-Identifier: Apache-2.0
// The CPU stacks of a recording as folded stacks: one for each (thread name, stack), sorted. Shared
// by the folded and the svg format. Pure function.
#pragma once

#include <vector>

#include "callscope/recording.hpp"
#include "flamegraph/folded.hpp"

namespace callscope {

// frames: thread name, then root to leaf. A stack without frames becomes "[no stack]".
std::vector<FoldedStack> folded_stacks(const Recording& recording);

}  // namespace callscope
