// SPDX-License-Identifier: Apache-2.0
// Which of several names of one address people know the function by. Pure, thread-safe.
#pragma once

#include <string_view>

#include "symbols/symbol_table.hpp"

namespace callscope {

// Strict weak order, best first: functions before labels, GLOBAL before WEAK before LOCAL, with a
// size before without, whole functions before compiler clones (.part.0, .cold), few leading
// underscores before many, then the shorter name.
bool preferred_name(const Symbol& a, const Symbol& b);

// Where the suffix of a compiler clone begins (".cold", ".part.0", ".constprop.0.isra.1"); the size
// of name if there is none.
std::size_t clone_suffix_pos(std::string_view name);

}  // namespace callscope
