// SPDX-License-Identifier: Apache-2.0
// Text from the target made safe for a terminal and cut to the room that is there. Process names,
// arguments and symbols are not ours: they may hold escape sequences. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace callscope {

// Control characters and bytes that are not UTF-8 become '?'.
std::string printable(std::string_view text);

// Number of characters of UTF-8 text.
std::size_t text_width(std::string_view text);

// text in at most width characters: the middle gives way to "...", so that both the namespace and
// the name of a long C++ function stay. Works on printable() text.
std::string cut_middle(std::string_view text, std::size_t width);

// The same, cut at the end.
std::string cut_end(std::string_view text, std::size_t width);

}  // namespace callscope
