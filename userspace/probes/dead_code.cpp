// SPDX-License-Identifier: Apache-2.0
#include "probes/dead_code.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace callscope {
namespace {

bool has_landing_pads(const FunctionCode& code, const ModuleCode& module) {
  constexpr std::array<std::string_view, 6> kRuntime{
      "_Unwind_Resume", "__cxa_begin_catch",     "__cxa_end_catch",
      "__cxa_rethrow",  "__cxa_call_unexpected", "__clang_call_terminate"};
  return std::ranges::any_of(code.instructions(), [&](const Instruction& insn) {
    return insn.flow == Flow::kCall && insn.target != 0 &&
           std::ranges::find(kRuntime, module.callee_name(insn.target)) != kRuntime.end();
  });
}

// Where control enters from elsewhere in the function. Without indirect jumps an address that is
// only loaded is one of data.
std::set<std::uint64_t> entered_addresses(const FunctionCode& code, const InnerJumps& jumps) {
  std::set<std::uint64_t> entered;
  for (const Instruction& insn : code.instructions())
    if (insn.flow == Flow::kJump || insn.flow == Flow::kBranch) entered.insert(insn.target);
  if (!jumps.indirect.empty()) entered.insert(jumps.targets.begin(), jumps.targets.end());
  return entered;
}

bool falls_through(const Instruction& insn) {
  return insn.flow == Flow::kNext || insn.flow == Flow::kBranch || insn.flow == Flow::kCall;
}

}  // namespace

std::optional<std::uint64_t> exit_in_dead_code(std::span<const ExitSite> exits,
                                               const FunctionCode& code, const InnerJumps& jumps,
                                               ModuleCode& module) {
  const auto has = [&](InnerJumps::Kind kind) {
    return std::ranges::find(jumps.indirect, kind, &InnerJumps::Indirect::kind) !=
           jumps.indirect.end();
  };
  // Of a switch that could not be read no target is known.
  if (exits.empty() || has(InnerJumps::Kind::kUnreadSwitch)) return std::nullopt;
  const bool has_labels = has(InnerJumps::Kind::kLabels);
  const std::set<std::uint64_t> entered = entered_addresses(code, jumps);
  std::set<std::uint64_t> dead;
  for (std::size_t range = 0; range < code.ranges().size(); ++range) {
    bool live = range == 0;  // other parts are jumped to
    for (const Instruction& insn : code.instructions_of(range)) {
      live = live || entered.contains(insn.addr) ||
             (has_labels && module.jump_targets().any_in(insn.addr, insn.addr));
      if (!live) dead.insert(insn.addr);
      live = live && falls_through(insn);
    }
  }
  const auto found =
      std::ranges::find_if(exits, [&](const ExitSite& exit) { return dead.contains(exit.addr); });
  if (found == exits.end() || has_landing_pads(code, module)) return std::nullopt;
  return found->addr;
}

}  // namespace callscope
