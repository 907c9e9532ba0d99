// SPDX-License-Identifier: Apache-2.0
// The location table of a code object of CPython 3.11 and later (co_linetable, described in
// CPython's Objects/locations.md): which line each instruction is of. Bytes of the target: a table
// that ends early or makes no sense has no line, and is never read beyond its end. Pure function.
#pragma once

#include <cstdint>
#include <optional>

#include "elf/bytes.hpp"

namespace callscope {

// The line of the code unit at index instruction; first_line is co_firstlineno. Nothing: the
// instruction is of no line, or it is not in the table.
std::optional<std::uint32_t> python_line(ByteSpan table, std::uint32_t first_line,
                                         std::uint32_t instruction);

}  // namespace callscope
