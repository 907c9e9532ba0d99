// SPDX-License-Identifier: Apache-2.0
#include "probes/decoder.hpp"

#include <Zydis/Zydis.h>

#include <array>

namespace callscope {
namespace {

using Operands = std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT>;

std::optional<std::uint64_t> relative_target(const ZydisDecodedInstruction& insn,
                                             const Operands& operands, std::uint64_t addr) {
  const ZydisDecodedOperand& operand = operands[0];
  if (operand.type != ZYDIS_OPERAND_TYPE_IMMEDIATE || operand.imm.is_relative == 0)
    return std::nullopt;
  return addr + insn.length + static_cast<std::uint64_t>(operand.imm.value.s);
}

IndirectForm indirect_form(const ZydisDecodedInstruction& insn, const Operands& operands) {
  if ((insn.attributes & ZYDIS_ATTRIB_HAS_NOTRACK) != 0) return IndirectForm::kNotrack;
  if (operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER) return IndirectForm::kRegister;
  return operands[0].mem.index != ZYDIS_REGISTER_NONE ? IndirectForm::kIndexed
                                                      : IndirectForm::kMemory;
}

// arch/x86/kernel/uprobes.c: push_setup_xol_ops and branch_setup_xol_ops take these without a
// prefix; all else is copied out of line and single-stepped. The 5-byte nop is patched or emulated.
bool kernel_emulates(std::span<const std::uint8_t> code, const ZydisDecodedInstruction& insn) {
  if (insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY) return false;
  const std::uint8_t first = code[0];
  if (insn.mnemonic == ZYDIS_MNEMONIC_PUSH)
    return (first >= 0x50 && first <= 0x57) || (first == 0x41 && insn.length == 2);
  if (first == 0x90 || first == 0xe8 || first == 0xe9 || first == 0xeb) return true;
  if (first >= 0x70 && first <= 0x7f) return true;
  if (first != 0x0f) return false;
  const bool near_branch = code[1] >= 0x80 && code[1] <= 0x8f;
  const bool nop5 = insn.mnemonic == ZYDIS_MNEMONIC_NOP && insn.length == 5;
  return near_branch || nop5;
}

bool is_register(const ZydisDecodedOperand& operand, ZydisRegister which) {
  return operand.type == ZYDIS_OPERAND_TYPE_REGISTER && operand.reg.value == which;
}

std::int64_t immediate(const ZydisDecodedOperand& operand) {
  return operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? operand.imm.value.s : 0;
}

void classify_stack(const ZydisDecodedInstruction& insn, const Operands& operands,
                    Instruction& out) {
  constexpr std::int64_t kWord = 8;
  for (std::size_t i = 0; i < insn.operand_count_visible; ++i) {
    const ZydisDecodedOperand& operand = operands[i];
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
    if (operand.mem.base == ZYDIS_REGISTER_RSP) out.rsp_operand = operand.mem.disp.value;
    if (operand.mem.base == ZYDIS_REGISTER_RBP) out.rbp_operand = operand.mem.disp.value;
  }
  const bool on_rsp = is_register(operands[0], ZYDIS_REGISTER_RSP);
  switch (insn.mnemonic) {
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_PUSHFQ:
      out.stack_growth = kWord;
      return;
    case ZYDIS_MNEMONIC_POP:
    case ZYDIS_MNEMONIC_POPFQ:
      out.stack_growth = -kWord;
      out.pops = true;
      return;
    case ZYDIS_MNEMONIC_SUB:
      if (on_rsp) out.stack_growth = immediate(operands[1]);
      return;
    case ZYDIS_MNEMONIC_ADD:
      if (on_rsp) out.stack_growth = -immediate(operands[1]);
      return;
    case ZYDIS_MNEMONIC_LEAVE:
      out.leaves = true;
      return;
    case ZYDIS_MNEMONIC_MOV:
      out.sets_rbp = is_register(operands[0], ZYDIS_REGISTER_RBP) &&
                     is_register(operands[1], ZYDIS_REGISTER_RSP);
      return;
    default:
      return;
  }
}

void classify_flow(const ZydisDecodedInstruction& insn, const Operands& operands,
                   std::uint64_t addr, Instruction& out) {
  switch (insn.meta.category) {
    case ZYDIS_CATEGORY_RET:
      out.flow = Flow::kReturn;
      return;
    case ZYDIS_CATEGORY_CALL:
      out.flow = Flow::kCall;
      return;
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_COND_BR:
      if (const auto target = relative_target(insn, operands, addr)) {
        out.target = *target;
        out.flow = insn.meta.category == ZYDIS_CATEGORY_COND_BR ? Flow::kBranch : Flow::kJump;
      } else {
        out.flow = Flow::kIndirectJump;
        out.indirect = indirect_form(insn, operands);
      }
      return;
    default:
      break;
  }
  if (insn.mnemonic == ZYDIS_MNEMONIC_UD2 || insn.mnemonic == ZYDIS_MNEMONIC_HLT ||
      insn.mnemonic == ZYDIS_MNEMONIC_INT3)
    out.flow = Flow::kStop;
}

}  // namespace

std::optional<Instruction> decode(std::span<const std::uint8_t> code, std::uint64_t addr) {
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  ZydisDecodedInstruction insn;
  Operands operands{};
  if (code.empty() || !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code.data(), code.size(),
                                                           &insn, operands.data())))
    return std::nullopt;
  Instruction out;
  out.length = insn.length;
  out.emulated = kernel_emulates(code, insn);
  out.table_load = insn.mnemonic == ZYDIS_MNEMONIC_MOVSXD || insn.mnemonic == ZYDIS_MNEMONIC_ADD;
  out.locked = (insn.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0;
  out.padding = insn.mnemonic == ZYDIS_MNEMONIC_NOP || insn.mnemonic == ZYDIS_MNEMONIC_INT3;
  out.vector_encoded = insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY;
  classify_flow(insn, operands, addr, out);
  classify_stack(insn, operands, out);
  return out;
}

}  // namespace callscope
