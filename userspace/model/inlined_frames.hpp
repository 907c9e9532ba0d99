// SPDX-License-Identifier: Apache-2.0
// Stacks without the functions that the compiler inlined: as a walker sees them that knows no debug
// information. Pure function of a valid Recording.
#pragma once

#include "callscope/recording.hpp"

namespace callscope {

// Takes inlined frames out of all stacks; the list of frames stays as it is, ids too.
void remove_inlined_frames(Recording& recording);

}  // namespace callscope
