// SPDX-License-Identifier: Apache-2.0
// Puts the Python frames of a stack in the place of the native frames that evaluate them. Each
// native frame of the evaluation loop runs some Python frames, innermost first, of which the last
// one is marked. Both halves come from different structures, so that they check each other: if they
// do not fit, there is no Python frame in the result. Pure function.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "callscope/abi/python.h"

namespace callscope {

struct MixedFrame {
  bool python = false;
  std::uint32_t index = 0;  // into the Python frames, or into the native ones

  bool operator==(const MixedFrame&) const = default;
};

struct MixedStack {
  std::vector<MixedFrame> frames;  // leaf first
  bool cut = false;                // there are Python frames that were not read
};

// is_loop: of each native frame, leaf first: whether it is one of the evaluation loop.
// native_complete: the last one is the outermost of its thread. end: enum cs_python_end.
// Nothing: the halves do not fit, or end says that the Python one is not known.
std::optional<MixedStack> interleave(const std::vector<bool>& is_loop, bool native_complete,
                                     std::span<const cs_python_frame> python, std::uint32_t end);

}  // namespace callscope
