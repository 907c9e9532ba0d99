// SPDX-License-Identifier: Apache-2.0
#include "probes/entry_site.hpp"

#include <array>
#include <optional>

#include "probes/stack_height.hpp"

namespace callscope {
namespace {

// A probe further on would leave out more than a few nanoseconds of the call.
constexpr std::size_t kMaxPassed = 16;

std::uint8_t arguments_written(const Instruction& insn) {
  constexpr std::array kArguments{Reg::kRdi, Reg::kRsi, Reg::kRdx, Reg::kRcx, Reg::kR8, Reg::kR9};
  unsigned written = 0;
  for (std::size_t i = 0; i < kArguments.size(); ++i)
    if (insn.writes_register(kArguments[i])) written |= 1U << i;
  return static_cast<std::uint8_t>(written);
}

// The slot by what the code before did, if the frame table says the same.
std::optional<ReturnSlot> slot_at(const StackHeight& height, const CfaRule& cfa) {
  const bool by_rsp = cfa.base == CfaRule::Base::kRsp;
  if (!by_rsp && cfa.base != CfaRule::Base::kRbp) return std::nullopt;
  const StackHeight::Height bytes = by_rsp ? height.rsp() : height.rbp();
  if (!bytes || cfa.offset - kCfaAtEntry.offset != *bytes || !ReturnSlot::reaches(*bytes))
    return std::nullopt;
  return ReturnSlot{by_rsp ? SlotBase::kRsp : SlotBase::kRbp, static_cast<std::int32_t>(*bytes)};
}

class EntryChooser {
 public:
  EntryChooser(const FunctionCode& code, const InnerJumps& jumps, EntryRules rules,
               ModuleCode& module)
      : code_(code), jumps_(jumps), rules_(rules), module_(module) {}

  ProbeSite run() {
    const std::span<const Instruction> all = code_.instructions_of(0);
    ProbeSite first{.addr = code_.addr()};
    if (all.size() <= rules_.behind) return first;
    const std::span<const Instruction> part = all.subspan(rules_.behind);
    first.addr = part.front().addr;
    first.emulated = part.front().emulated;
    if (first.emulated || !jumps_.complete()) return first;
    for (std::size_t i = 0; i + 1 < part.size() && i < kMaxPassed; ++i) {
      if (!may_pass(part[i])) return first;
      pass(part[i]);
      if (const Instruction& next = part[i + 1]; is_cheap(next)) {
        if (jumps_.any_in(code_.addr() + 1, next.addr)) return first;
        const std::optional<ReturnSlot> slot = slot_before(next);
        if (!slot || module_.may_be_entered(code_, next.addr)) return first;
        return {next.addr, true, *slot, intact_};
      }
    }
    return first;
  }

 private:
  [[nodiscard]] bool may_pass(const Instruction& insn) const {
    if (insn.flow != Flow::kNext || insn.system || insn.repeats) return false;
    if (rules_.keep_stack && insn.writes_register(Reg::kRsp)) return false;
    return !rules_.keep_arguments || arguments_written(insn) == 0;
  }

  void pass(const Instruction& insn) {
    height_.pass(insn);
    moved_stack_ = moved_stack_ || insn.writes_register(Reg::kRsp);
    touched_memory_ = touched_memory_ || insn.has_memory;
    intact_ = static_cast<std::uint8_t>(intact_ & ~arguments_written(insn));
  }

  // Linux 6.18 makes a probed 5-byte nop a call, which writes below rsp: there may be data there
  // once the function has begun to use memory.
  [[nodiscard]] bool is_cheap(const Instruction& insn) const {
    constexpr std::uint8_t kPatchedNopBytes = 5;
    if (!insn.emulated || insn.refuses_probe()) return false;
    if (rules_.avoid_calls && insn.flow == Flow::kCall) return false;
    const bool patched = insn.operation == Operation::kNop && insn.length == kPatchedNopBytes;
    return !patched || !touched_memory_;
  }

  [[nodiscard]] std::optional<ReturnSlot> slot_before(const Instruction& insn) {
    if (!moved_stack_ || rules_.counts_only) return ReturnSlot{};
    return slot_at(height_, module_.frames().cfa_at(insn.addr));
  }

  const FunctionCode& code_;
  const InnerJumps& jumps_;
  EntryRules rules_;
  ModuleCode& module_;
  StackHeight height_;
  bool moved_stack_ = false;
  bool touched_memory_ = false;
  std::uint8_t intact_ = ProbeSite::kAllArguments;
};

}  // namespace

ProbeSite choose_entry_site(const FunctionCode& code, const InnerJumps& jumps, EntryRules rules,
                            ModuleCode& module) {
  return EntryChooser(code, jumps, rules, module).run();
}

}  // namespace callscope
