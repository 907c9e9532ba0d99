// SPDX-License-Identifier: Apache-2.0
#include "probes/stack_check.hpp"

#include <algorithm>
#include <optional>

namespace callscope {
namespace {

constexpr std::size_t kMaxCheck = 8;     // instructions up to the branch; compilers use 2 to 5
constexpr std::size_t kMaxGrowing = 64;  // of the code that saves the arguments and asks for more

bool falls_through(const Instruction& insn) {
  return insn.flow == Flow::kNext || insn.flow == Flow::kCall;
}

// The jump back to the first instruction at the end of straight code from here.
std::optional<std::uint64_t> jump_back(const FunctionCode& code, std::uint64_t from) {
  const Instruction* insn = code.at(from);
  for (std::size_t i = 0; insn != nullptr && i < kMaxGrowing; ++i) {
    if (insn->flow == Flow::kJump && insn->target == code.addr()) return insn->addr;
    if (!falls_through(*insn)) return std::nullopt;
    insn = code.at(insn->next_addr());
  }
  return std::nullopt;
}

}  // namespace

std::size_t stack_check_length(const FunctionCode& code, const InnerJumps& jumps,
                               ModuleCode& module) {
  const std::span<const Instruction> part = code.instructions_of(0);
  const std::span<const Instruction> start = part.first(std::min(part.size(), kMaxCheck));
  const auto branch =
      std::ranges::find_if(start, [](const Instruction& insn) { return insn.flow != Flow::kNext; });
  if (branch == start.end() || branch->flow != Flow::kBranch || !jumps.complete()) return 0;
  const std::optional<std::uint64_t> back = jump_back(code, branch->target);
  if (!back) return 0;
  const auto disturbs = [&](const Instruction& insn) {
    const bool jumps_on = insn.flow == Flow::kJump || insn.flow == Flow::kBranch;
    const bool into_growing = insn.target >= branch->target && insn.target <= *back;
    const bool starts_again = insn.target == code.addr() && insn.addr != *back;
    return jumps_on && ((into_growing && insn.addr != branch->addr) || starts_again);
  };
  if (std::ranges::any_of(code.instructions(), disturbs)) return 0;
  const std::uint64_t behind = branch->next_addr();
  if (jumps.any_in(code.addr() + 1, behind) || module.may_be_entered(code, behind)) return 0;
  return static_cast<std::size_t>(branch - start.begin()) + 1;
}

}  // namespace callscope
