// SPDX-License-Identifier: Apache-2.0
#include "model/inlined_frames.hpp"

namespace callscope {

void remove_inlined_frames(Recording& recording) {
  for (Stack& stack : recording.stacks)
    std::erase_if(stack.frames,
                  [&](std::uint32_t frame) { return recording.frames[frame].inlined(); });
}

}  // namespace callscope
