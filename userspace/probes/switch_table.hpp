// SPDX-License-Identifier: Apache-2.0
// Reads the tables that compilers make of switch statements: where an indirect jump leads, as far
// as the code before it shows table and bound. Follows the code that gcc and clang emit:
//   lea table(%rip),%b; movslq (%b,%i,4),%x; add %b,%x; jmp *%x   entries relative to the table
//   jmp *table(,%i,8)                                             absolute addresses
// A view of code and image; thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "elf/elf_image.hpp"
#include "probes/function_code.hpp"

namespace callscope {

struct SwitchJump {
  enum class Kind {
    kRead,          // targets are all addresses that the jump can lead to
    kContradicted,  // the table has an entry that is no instruction of the function
    kUnread,        // perhaps a table of distances, which was not found
    kPointer,       // through an address from memory or a register
  };
  Kind kind = Kind::kPointer;
  // When the bound is not visible, what follows the table may add some that are none.
  std::vector<std::uint64_t> targets = {};
};

// position: index of a Flow::kIndirectJump in code.instructions_of(range).
SwitchJump read_switch(const FunctionCode& code, std::size_t range, std::size_t position,
                       const ElfImage& image);

}  // namespace callscope
