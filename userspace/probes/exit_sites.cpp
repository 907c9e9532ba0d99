// SPDX-License-Identifier: Apache-2.0
#include "probes/exit_sites.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "probes/dead_code.hpp"
#include "probes/stack_height.hpp"

namespace callscope {
namespace {

class ExitFinder {
 public:
  ExitFinder(const FunctionCode& code, const InnerJumps& jumps, ModuleCode& module)
      : code_(code), jumps_(jumps), module_(module) {}

  Result<std::vector<ExitSite>> run() {
    if (code_.undecodable())
      return refuse("holds bytes that are no instruction", *code_.undecodable());
    for (const Instruction& insn : code_.instructions()) CS_TRY(take(insn));
    for (std::size_t i = 0; i < code_.ranges().size(); ++i) CS_TRY(check_end(i));
    for (const std::uint64_t target : jumps_.targets)
      if (code_.at(target) == nullptr) return refuse("jumps between instructions", target);
    return std::move(exits_);
  }

 private:
  static std::unexpected<Error> refuse(const std::string& why, std::uint64_t addr) {
    return fail(ErrorCode::kUnsupported, fmt::format("{} at {:#x}", why, addr));
  }

  // The return address is on top of the stack, as at the entry; true if nothing is known.
  [[nodiscard]] bool frame_is_down(std::uint64_t addr) {
    const CfaRule cfa = module_.frames().cfa_at(addr);
    return cfa.base == CfaRule::Base::kNone || cfa == kCfaAtEntry;
  }

  Result<void> take(const Instruction& insn) {
    switch (insn.flow) {
      case Flow::kReturn:
        if (!frame_is_down(insn.addr))
          return refuse("returns to where it was not called from", insn.addr);
        exits_.push_back({.addr = insn.addr, .emulated = insn.emulated});
        return {};
      case Flow::kJump:
      case Flow::kBranch:
        return take_direct(insn);
      case Flow::kIndirectJump:
        return take_indirect(insn);
      default:
        return {};
    }
  }

  Result<void> take_direct(const Instruction& insn) {
    if (insn.target == code_.addr())  // would count as another call
      return refuse("jumps back to its first instruction", insn.addr);
    if (code_.covers(insn.target)) return {};
    if (insn.flow == Flow::kBranch) return refuse("leaves by a conditional jump", insn.addr);
    if (!module_.is_function_start(insn.target))
      return refuse("jumps into the middle of other code", insn.addr);
    if (!frame_is_down(insn.addr))
      return refuse("jumps away with its frame on the stack", insn.addr);
    exits_.push_back({insn.addr, true, insn.target, insn.emulated});
    return {};
  }

  Result<void> take_indirect(const Instruction& insn) {
    const InnerJumps::Indirect& jump = jumps_.indirect[n_indirect_++];
    switch (jump.kind) {
      case InnerJumps::Kind::kLeaves:
        exits_.push_back({insn.addr, true, 0, insn.emulated});
        return {};
      case InnerJumps::Kind::kContradicted:
        return refuse("has a switch table that leads out of it", insn.addr);
      case InnerJumps::Kind::kUncertain:
        return refuse("jumps through a pointer, perhaps out of the function", insn.addr);
      default:
        return {};
    }
  }

  Result<void> check_end(std::size_t range) {
    const std::span<const Instruction> part = code_.instructions_of(range);
    std::size_t last = part.size();
    while (last > 0 && part[last - 1].padding) --last;
    if (last == 0) return {};
    const Flow flow = part[last - 1].flow;
    if (flow == Flow::kNext || flow == Flow::kBranch)
      return refuse("runs on into the next function", code_.ranges()[range].end());
    return {};
  }

  const FunctionCode& code_;
  const InnerJumps& jumps_;
  ModuleCode& module_;
  std::size_t n_indirect_ = 0;  // seen so far
  std::vector<ExitSite> exits_;
};

// The stack protector's "jne fail", where fail only calls what ends the process.
bool is_stack_check(const Instruction& insn, const FunctionCode& code, ModuleCode& module) {
  if (insn.flow != Flow::kBranch || !insn.emulated || insn.refuses_probe()) return false;
  const Instruction* target = code.at(insn.target);
  if (target == nullptr) return false;
  const Instruction* const end = code.instructions().data() + code.instructions().size();
  while (target != end && target->padding) ++target;
  return target != end && target->flow == Flow::kCall &&
         module.callee_name(target->target) == "__stack_chk_fail";
}

// Where the return slot is before passed is executed, of which the last one is the ret: the code
// says it without a doubt, and the frame table must agree. Nothing if either does not know.
std::optional<ReturnSlot> slot_before(std::span<const Instruction> passed, const CfaRule& cfa) {
  if (cfa.base != CfaRule::Base::kRsp && cfa.base != CfaRule::Base::kRbp) return std::nullopt;
  StackHeight by_rsp(0, std::nullopt);
  StackHeight by_rbp(std::nullopt, 0);
  for (const Instruction& insn : passed.first(passed.size() - 1)) {
    by_rsp.pass(insn);
    by_rbp.pass(insn);
  }
  const bool use_rsp = by_rsp.rsp().has_value();
  const StackHeight::Height moved = use_rsp ? by_rsp.rsp() : by_rbp.rsp();
  if (!moved || !ReturnSlot::reaches(-*moved)) return std::nullopt;
  const bool same_base = use_rsp == (cfa.base == CfaRule::Base::kRsp);
  if (same_base && cfa.offset != kCfaAtEntry.offset - *moved) return std::nullopt;
  return ReturnSlot{use_rsp ? SlotBase::kRsp : SlotBase::kRbp, static_cast<std::int32_t>(-*moved)};
}

// The stack check from which control always comes to the ret at part[position]; nullptr: there is
// none.
const Instruction* stack_check_before(std::span<const Instruction> part, std::size_t position,
                                      const FunctionCode& code, const InnerJumps& jumps,
                                      ModuleCode& module) {
  for (std::size_t i = position; i > 0; --i) {
    if (jumps.any_in(part[i].addr, part[i].addr)) return nullptr;
    const Instruction& before = part[i - 1];
    if (is_stack_check(before, code, module)) {
      const bool entered = module.jump_targets().any_in(before.addr + 1, part[position].addr);
      return entered ? nullptr : &before;
    }
    if (before.flow != Flow::kNext || before.system || before.repeats) return nullptr;
  }
  return nullptr;
}

}  // namespace

void use_cheaper_exits(std::vector<ExitSite>& exits, std::uint64_t entry_addr,
                       const FunctionCode& code, const InnerJumps& jumps, ModuleCode& module) {
  if (!jumps.complete()) return;
  std::size_t next = 0;  // exits are in the order of the code
  for (std::size_t range = 0; range < code.ranges().size(); ++range) {
    const std::span<const Instruction> part = code.instructions_of(range);
    for (std::size_t i = 0; i < part.size() && next < exits.size(); ++i) {
      if (part[i].addr != exits[next].addr) continue;
      ExitSite& exit = exits[next++];
      if (exit.tail_jump || exit.emulated) continue;
      const Instruction* const check = stack_check_before(part, i, code, jumps, module);
      if (check == nullptr || check->addr == entry_addr) continue;
      const std::span<const Instruction> passed(check,
                                                static_cast<std::size_t>(&part[i] - check) + 1);
      const auto slot = slot_before(passed, module.frames().cfa_at(check->addr));
      if (slot) exit = {.addr = check->addr, .emulated = true, .slot = *slot};
    }
  }
}

Result<std::vector<ExitSite>> find_exit_sites(const FunctionCode& code, const InnerJumps& jumps,
                                              ModuleCode& module) {
  Result<std::vector<ExitSite>> exits = ExitFinder(code, jumps, module).run();
  if (exits)
    if (const auto addr = exit_in_dead_code(*exits, code, jumps, module))
      return fail(ErrorCode::kUnsupported,
                  fmt::format("may hold data that looks like an exit at {:#x}", *addr));
  return exits;
}

}  // namespace callscope
