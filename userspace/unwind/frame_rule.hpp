// SPDX-License-Identifier: Apache-2.0
// Turns libdw's answer for one address into the rule that the BPF walker evaluates. What the rule
// cannot say becomes CS_UNWIND_INVALID with the reason, never an approximation. x86-64 only. Pure.
#pragma once

#include "callscope/abi/unwind.h"

struct Dwarf_Frame_s;

namespace callscope {

// Registers of x86-64 by their DWARF numbers (System V ABI, figure 3.36).
enum DwarfRegister : int {
  kDwarfRbx = 3,
  kDwarfRbp = 6,
  kDwarfRsp = 7,
  kDwarfR12 = 12,
  kDwarfR13 = 13,
  kDwarfR14 = 14,
  kDwarfR15 = 15,
  kDwarfReturnAddress = 16,
};

enum class SavedRegisters {
  kRbp,  // the others are marked as not recorded
  kAll,
};

cs_unwind_rule invalid_rule(cs_unwind_invalid reason);

cs_unwind_rule read_rule(Dwarf_Frame_s* frame, SavedRegisters recorded);

}  // namespace callscope
