// SPDX-License-Identifier: Apache-2.0
// Where an argument is at the moment a probe fires: of a function at its first instruction, by the
// System V ABI for x86-64, or of a USDT marker, by the operand that its note has. Pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "callscope/abi/spans.h"
#include "callscope/error.hpp"

namespace callscope {

inline constexpr unsigned kMaxArguments = 6;    // of a function: those in integer registers
inline constexpr unsigned kMaxMarkerArgs = 12;  // of a marker, by sys/sdt.h

// Integer or pointer argument number 1 .. kMaxArguments of a function at its entry.
cs_value function_argument(unsigned number);

// ELF virtual address of a variable; nothing if no symbol has that name.
using VariableAddress = std::function<std::optional<std::uint64_t>(std::string_view name)>;

// Argument number (from 1) of a marker at marker_addr whose note says arguments. The operands are
// AT&T assembler: N@$constant, N@%register, N@offset(%base,%index,scale), N@variable(%rip); N is
// the size in bytes, negative for a signed value. kUnsupported with the reason for all others,
// kUsage if it has fewer arguments.
Result<cs_value> marker_argument(std::string_view arguments, unsigned number,
                                 std::uint64_t marker_addr, const VariableAddress& variable);

}  // namespace callscope
