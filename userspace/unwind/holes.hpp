// SPDX-License-Identifier: Apache-2.0
// What to make of code that no FDE covers. Pure.
#pragma once

#include <cstdint>

#include "unwind/unwind_table.hpp"

namespace callscope {

// The hole that holds a program's entry point becomes the outermost frame: nothing called it. It is
// the dynamic loader's _start, whose authors left it out. The other holes stay (crt1's, assembler),
// unless they come from another compiler, whose code has frame pointers: one that is large, as the
// builtins of V8 in node, or all where the table describes less than half of the code, as in Go
// programs with some C.
void judge_holes(UnwindTable& table, std::uint64_t entry);

}  // namespace callscope
