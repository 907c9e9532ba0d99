// SPDX-License-Identifier: Apache-2.0
// Where control goes within one function: the targets of its jumps, switch tables included, and for
// each indirect jump whether it stays inside. Plain values; thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "probes/function_code.hpp"
#include "probes/module_code.hpp"

namespace callscope {

struct InnerJumps {
  enum class Kind {
    kSwitch,        // stays inside, targets known
    kUnreadSwitch,  // stays inside, targets unknown
    kLabels,        // stays inside: a computed goto to labels whose addresses the module holds
    kLeaves,        // a tail call through a pointer
    kContradicted,  // a switch table with an entry that is no instruction of the function
    kUncertain,
  };
  struct Indirect {
    std::uint64_t addr = 0;
    Kind kind = Kind::kUncertain;
  };

  // Addresses inside of the function that its own code jumps to, calls or loads: ascending, each
  // once.
  std::vector<std::uint64_t> targets;
  std::vector<Indirect> indirect;  // in the order of the code

  // Whether any target lies in [first, last].
  [[nodiscard]] bool any_in(std::uint64_t first, std::uint64_t last) const;
  // All targets are known, in here or in ModuleCode::jump_targets().
  [[nodiscard]] bool complete() const;
};

InnerJumps find_inner_jumps(const FunctionCode& code, ModuleCode& module);

}  // namespace callscope
