// SPDX-License-Identifier: Apache-2.0
// What the end of a stack's user half says about it. Pure functions.
#pragma once

#include "callscope/recording.hpp"

namespace callscope {

// Callers are missing behind the outermost frame.
constexpr bool is_cut(StackEnd end) {
  switch (end) {
    case StackEnd::kUnknown:
    case StackEnd::kComplete:
    case StackEnd::kNoUser:
    case StackEnd::kDeep:
      return false;
    default:
      return true;
  }
}

// The same, also of recordings that do not have the end.
constexpr bool is_cut(const Stack& stack) {
  return stack.end == StackEnd::kUnknown ? stack.truncated : is_cut(stack.end);
}

}  // namespace callscope
