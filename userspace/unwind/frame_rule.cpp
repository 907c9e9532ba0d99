// SPDX-License-Identifier: Apache-2.0
#include "unwind/frame_rule.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

namespace callscope {
namespace {

// A value of a register plus a constant.
struct Term {
  int reg = 0;
  std::int64_t offset = 0;  // bytes
};

std::optional<Term> term(const Dwarf_Op& op) {
  if (op.atom == DW_OP_bregx)
    return Term{static_cast<int>(op.number), static_cast<std::int64_t>(op.number2)};
  if (op.atom >= DW_OP_breg0 && op.atom <= DW_OP_breg31)
    return Term{op.atom - DW_OP_breg0, static_cast<std::int64_t>(op.number)};
  return std::nullopt;
}

// Where a register of the caller is.
struct Place {
  enum class Kind { kUnchanged, kUndefined, kAtCfa, kAtTerm, kInRegister, kIsCfa, kOther };
  Kind kind = Kind::kOther;
  Term term = {};  // kAtCfa: only its offset; kInRegister: only its reg
};

// libdw puts the CFA first, as the stack of each expression holds it (DWARF 5, 6.4.2.3).
Place find_place(Dwarf_Frame* frame, int reg) {
  using enum Place::Kind;
  Dwarf_Op own[3];
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  if (::dwarf_frame_register(frame, reg, own, &ops, &count) != 0) return {};
  // libdw 0.188 takes rax for rbx when it lists the registers that the ABI preserves.
  if (count == 0) return {ops == nullptr || reg == kDwarfRbx ? kUnchanged : kUndefined};
  if (count == 1 && ops[0].atom == DW_OP_regx)
    return {kInRegister, {static_cast<int>(ops[0].number), 0}};
  if (ops[0].atom != DW_OP_call_frame_cfa || count > 2) return {};
  if (count == 1) return {kAtCfa};
  if (ops[1].atom == DW_OP_plus_uconst)
    return {kAtCfa, {0, static_cast<std::int64_t>(ops[1].number)}};
  if (ops[1].atom == DW_OP_stack_value) return {kIsCfa};
  const std::optional<Term> sum = term(ops[1]);
  return sum ? Place{kAtTerm, *sum} : Place{};
}

template <typename T>
bool fits(std::int64_t value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

// What linkers write for lazy jump stubs: CFA = rsp + 8 + ((rip & 15) >= limit) * 8.
std::optional<std::int32_t> plt_limit(std::span<const Dwarf_Op> ops) {
  constexpr std::array<std::uint8_t, 9> kAtoms{
      DW_OP_breg7, DW_OP_breg16, DW_OP_lit15, DW_OP_and, DW_OP_lit0 /* the limit */,
      DW_OP_ge,    DW_OP_lit3,   DW_OP_shl,   DW_OP_plus};
  constexpr std::size_t kLimit = 4;
  if (ops.size() != kAtoms.size() || ops[0].number != 8 || ops[1].number != 0) return std::nullopt;
  for (std::size_t i = 0; i < kAtoms.size(); ++i)
    if (i != kLimit && ops[i].atom != kAtoms[i]) return std::nullopt;
  if (ops[kLimit].atom < DW_OP_lit0 || ops[kLimit].atom > DW_OP_lit15) return std::nullopt;
  return ops[kLimit].atom - DW_OP_lit0;
}

std::optional<cs_unwind_invalid> read_cfa(std::span<const Dwarf_Op> ops, cs_unwind_rule& rule) {
  if (const std::optional<std::int32_t> limit = plt_limit(ops)) {
    rule.kind = CS_UNWIND_PLT;
    rule.reg = kDwarfRsp;
    rule.offset = *limit;
    return std::nullopt;
  }
  const std::optional<Term> base = ops.empty() ? std::nullopt : term(ops[0]);
  const bool deref = ops.size() > 1 && ops[1].atom == DW_OP_deref;
  const bool plus = ops.size() == 3 && ops[2].atom == DW_OP_plus_uconst;
  if (!base || base->reg >= kDwarfReturnAddress ||
      !(ops.size() == 1 || (deref && (ops.size() == 2 || plus))))
    return CS_UNWIND_INVALID_CFA_EXPRESSION;
  const std::int64_t add = plus ? static_cast<std::int64_t>(ops[2].number) : 0;
  if (!fits<std::int32_t>(base->offset) || !fits<std::int32_t>(add)) return CS_UNWIND_INVALID_RANGE;
  rule.kind = deref ? CS_UNWIND_CFA_DEREF : CS_UNWIND_CFA;
  rule.reg = static_cast<std::uint8_t>(base->reg);
  rule.offset = static_cast<std::int32_t>(base->offset);
  rule.add = static_cast<std::int32_t>(add);
  return std::nullopt;
}

// The frame that sigreturn tears down: each register is where the kernel put it, in the ucontext.
// Offsets: struct ucontext and sigcontext, asm/sigcontext.h.
std::optional<std::int32_t> ucontext_offset(Dwarf_Frame* frame, std::span<const Dwarf_Op> cfa) {
  constexpr std::int64_t kRbp = 120;
  constexpr std::int64_t kRsp = 160;
  constexpr std::int64_t kRip = 168;
  const std::optional<Term> base = cfa.size() == 2 ? term(cfa[0]) : std::nullopt;
  if (!base || base->reg != kDwarfRsp || cfa[1].atom != DW_OP_deref) return std::nullopt;
  const std::int64_t offset = base->offset - kRsp;
  if (!fits<std::int32_t>(offset)) return std::nullopt;
  const auto is_at = [&](int reg, std::int64_t at) {
    const Place place = find_place(frame, reg);
    return place.kind == Place::Kind::kAtTerm && place.term.reg == kDwarfRsp &&
           place.term.offset == offset + at;
  };
  if (!is_at(kDwarfReturnAddress, kRip) || !is_at(kDwarfRsp, kRsp) || !is_at(kDwarfRbp, kRbp))
    return std::nullopt;
  return static_cast<std::int32_t>(offset);
}

// Notes where a register was saved; the reason if the rule cannot say it.
std::optional<cs_unwind_invalid> read_saved(const Place& place, int bit, cs_unwind_rule& rule) {
  using enum Place::Kind;
  if (place.kind == kUnchanged) return std::nullopt;
  std::int64_t offset = place.term.offset;
  const bool from_cfa_register = rule.kind == CS_UNWIND_CFA && rule.reg == place.term.reg;
  const bool by_rbp = place.kind == kAtTerm && place.term.reg == kDwarfRbp && !from_cfa_register;
  if (place.kind == kAtTerm && from_cfa_register)
    offset -= rule.offset;
  else if (place.kind != kAtCfa && !by_rbp)
    return CS_UNWIND_INVALID_REGISTER_EXPRESSION;
  constexpr int kAnySaved = (1 << CS_SAVED_COUNT) - 1;
  const bool others_by_rbp = (rule.saved & CS_UNWIND_SAVED_BY_RBP) != 0;
  if ((rule.saved & kAnySaved) != 0 && by_rbp != others_by_rbp)
    return CS_UNWIND_INVALID_REGISTER_EXPRESSION;
  if (offset % 8 != 0 || !fits<std::int16_t>(offset / 8)) return CS_UNWIND_INVALID_RANGE;
  rule.saved |= static_cast<std::uint8_t>(1 << bit);
  if (by_rbp) rule.saved |= CS_UNWIND_SAVED_BY_RBP;
  rule.saved_at[bit] = static_cast<std::int16_t>(offset / 8);
  return std::nullopt;
}

// Without the registers besides rbp where one of them is in a place that the rule cannot say: only
// a CFA that comes from it would miss it.
void read_others(Dwarf_Frame* frame, SavedRegisters recorded, cs_unwind_rule& rule) {
  constexpr std::array<int, CS_SAVED_COUNT> kRegisters{kDwarfRbp, kDwarfRbx, kDwarfR12,
                                                       kDwarfR13, kDwarfR14, kDwarfR15};
  cs_unwind_rule all = rule;
  bool complete = recorded == SavedRegisters::kAll;
  for (int bit = CS_SAVED_RBX; complete && bit < CS_SAVED_COUNT; ++bit)
    complete = !read_saved(find_place(frame, kRegisters[static_cast<std::size_t>(bit)]), bit, all);
  if (complete)
    rule = all;
  else
    rule.saved |= CS_UNWIND_RBP_ONLY;
}

}  // namespace

cs_unwind_rule invalid_rule(cs_unwind_invalid reason) {
  cs_unwind_rule rule{};
  rule.kind = CS_UNWIND_INVALID;
  rule.offset = reason;
  return rule;
}

cs_unwind_rule read_rule(Dwarf_Frame_s* frame, SavedRegisters recorded) {
  cs_unwind_rule rule{};
  const Place ra = find_place(frame, kDwarfReturnAddress);
  if (ra.kind == Place::Kind::kUndefined) {
    rule.kind = CS_UNWIND_END;
    return rule;
  }
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  bool is_signal_frame = false;
  if (::dwarf_frame_cfa(frame, &ops, &count) != 0 ||
      ::dwarf_frame_info(frame, nullptr, nullptr, &is_signal_frame) < 0)
    return invalid_rule(CS_UNWIND_INVALID_PROGRAM);
  const std::span<const Dwarf_Op> cfa(ops, count);
  if (is_signal_frame) {
    if (const std::optional<std::int32_t> offset = ucontext_offset(frame, cfa)) {
      rule.kind = CS_UNWIND_SIGNAL;
      rule.reg = kDwarfRsp;
      rule.offset = *offset;
      return rule;
    }
  }
  if (const std::optional<cs_unwind_invalid> reason = read_cfa(cfa, rule))
    return invalid_rule(*reason);
  rule.ra = CS_UNWIND_RA_AT_CFA;
  if (ra.kind == Place::Kind::kInRegister && ra.term.reg < kDwarfReturnAddress)
    rule.ra = static_cast<std::uint8_t>(ra.term.reg);
  else if (ra.kind != Place::Kind::kAtCfa || ra.term.offset != -8)
    return invalid_rule(CS_UNWIND_INVALID_RETURN_ADDRESS);
  if (find_place(frame, kDwarfRsp).kind != Place::Kind::kIsCfa)
    return invalid_rule(CS_UNWIND_INVALID_REGISTER_EXPRESSION);
  if (const auto reason = read_saved(find_place(frame, kDwarfRbp), CS_SAVED_RBP, rule))
    return invalid_rule(*reason);
  read_others(frame, recorded, rule);
  return rule;
}

}  // namespace callscope
