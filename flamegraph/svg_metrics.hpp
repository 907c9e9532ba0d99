// SPDX-License-Identifier: Apache-2.0
// Measures that all pictures share, in px.
#pragma once

namespace callscope {

inline constexpr double kPad = 16;  // around the picture
inline constexpr double kLine = 20;
inline constexpr double kTextChar = 7;  // upper estimate for the 12 px interface font

}  // namespace callscope
