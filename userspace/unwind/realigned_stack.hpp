// SPDX-License-Identifier: Apache-2.0
// What gcc's tables leave out of functions that align their stack (its DRAP): the registers that
// they saved beside rbp are the caller's again from "pop rbp" or "leave" on, rbp too, but the table
// goes on to look for them at rbp, which is the caller's frame by then. Taken at its word, a walk
// from one of the last two instructions skips a frame. Seen with gcc 12. Pure.
#pragma once

#include <cstdint>

#include "callscope/abi/unwind.h"
#include "elf/bytes.hpp"

namespace callscope {

// At the end of the code that the rule is for: how many bytes have the caller's registers.
std::uint64_t restored_bytes(const cs_unwind_rule& rule, ByteSpan code);

// The rule there.
cs_unwind_rule with_registers_restored(cs_unwind_rule rule);

}  // namespace callscope
