// SPDX-License-Identifier: Apache-2.0
// Finds every instruction by which a function can be left: its ret instructions and tail jumps, in
// its .cold part too. A probe there sees the end of a call without touching the stack, so it is
// safe for programs that throw, unwind or switch stacks. Either all exits are found for certain, or
// the function is refused with a reason. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "callscope/error.hpp"

namespace callscope {

// One contiguous piece of a function's code, decoded from its first byte.
struct CodeRange {
  std::uint64_t addr = 0;  // ELF virtual address
  std::span<const std::uint8_t> bytes;
};

struct ExitSite {
  std::uint64_t addr = 0;
  bool tail_jump = false;         // else a ret
  std::uint64_t tail_target = 0;  // of a direct tail jump; 0: through a pointer
};

// True when a jump to the address enters another function at its beginning (symbol or PLT stub).
using IsFunctionStart = std::function<bool(std::uint64_t addr)>;

// ranges: the function itself first, then its cold parts. kUnsupported with the reason when an exit
// cannot be found for certain.
Result<std::vector<ExitSite>> find_exit_sites(std::span<const CodeRange> ranges,
                                              const IsFunctionStart& is_function_start);

}  // namespace callscope
