// SPDX-License-Identifier: Apache-2.0
#include "probes/inner_jumps.hpp"

#include <algorithm>

#include "probes/switch_table.hpp"

namespace callscope {
namespace {

using Kind = InnerJumps::Kind;

bool is_address_load(const Instruction& insn) {
  return insn.operation == Operation::kLea && insn.base == Reg::kRip;
}

// Whether an address behind the function's first one is named anywhere: a label for computed goto.
bool holds_labels(const FunctionCode& code, ModuleCode& module) {
  for (const Instruction& insn : code.instructions())
    if (is_address_load(insn) && insn.disp_addr() != code.addr() && code.covers(insn.disp_addr()))
      return true;
  const JumpTargets& targets = module.jump_targets();
  for (const CodeRange& range : code.ranges()) {
    const std::uint64_t first = range.addr == code.addr() ? range.addr + 1 : range.addr;
    if (first < range.end() && targets.any_named_in(first, range.end() - 1)) return true;
  }
  return false;
}

// A tail call has taken the function's frame down, so the CFA is where it was at the entry. Any
// other indirect jump stays inside.
Kind classify(const Instruction& jump, SwitchJump::Kind table, const FunctionCode& code,
              ModuleCode& module) {
  if (table == SwitchJump::Kind::kRead) return Kind::kSwitch;
  if (table == SwitchJump::Kind::kContradicted) return Kind::kContradicted;
  const Kind inside = table == SwitchJump::Kind::kUnread ? Kind::kUnreadSwitch : Kind::kLabels;
  if (jump.indirect == IndirectForm::kNotrack) return inside;
  const CfaRule cfa = module.frames().cfa_at(jump.addr);
  const bool known = cfa.base != CfaRule::Base::kNone;
  if (known && cfa != kCfaAtEntry) return inside;
  if (table == SwitchJump::Kind::kUnread) return Kind::kUncertain;
  if (!known && jump.indirect != IndirectForm::kMemory) return Kind::kUncertain;
  return holds_labels(code, module) ? Kind::kUncertain : Kind::kLeaves;
}

}  // namespace

bool InnerJumps::any_in(std::uint64_t first, std::uint64_t last) const {
  const auto found = std::ranges::lower_bound(targets, first);
  return found != targets.end() && *found <= last;
}

bool InnerJumps::complete() const {
  return std::ranges::all_of(indirect, [](const Indirect& jump) {
    return jump.kind == Kind::kSwitch || jump.kind == Kind::kLabels || jump.kind == Kind::kLeaves;
  });
}

InnerJumps find_inner_jumps(const FunctionCode& code, ModuleCode& module) {
  InnerJumps jumps;
  for (std::size_t range = 0; range < code.ranges().size(); ++range) {
    const std::span<const Instruction> part = code.instructions_of(range);
    for (std::size_t i = 0; i < part.size(); ++i) {
      const Instruction& insn = part[i];
      if (insn.target != 0) {
        if (code.covers(insn.target)) jumps.targets.push_back(insn.target);
      } else if (is_address_load(insn)) {
        if (code.covers(insn.disp_addr())) jumps.targets.push_back(insn.disp_addr());
      } else if (insn.flow == Flow::kIndirectJump) {
        const SwitchJump found = read_switch(code, range, i, module.image());
        jumps.indirect.push_back({insn.addr, classify(insn, found.kind, code, module)});
        jumps.targets.insert(jumps.targets.end(), found.targets.begin(), found.targets.end());
      }
    }
  }
  std::ranges::sort(jumps.targets);
  const auto doubles = std::ranges::unique(jumps.targets);
  jumps.targets.erase(doubles.begin(), doubles.end());
  return jumps;
}

}  // namespace callscope
