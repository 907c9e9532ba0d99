// SPDX-License-Identifier: Apache-2.0
#include "probes/decoder.hpp"

#include <Zydis/Zydis.h>

#include <array>

namespace callscope {
namespace {

using Operands = std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT>;

// The number of a general register of any width (ah to bh count as rax to rbx).
std::uint8_t register_number(ZydisRegister reg) {
  if (reg >= ZYDIS_REGISTER_RAX && reg <= ZYDIS_REGISTER_R15)
    return static_cast<std::uint8_t>(reg - ZYDIS_REGISTER_RAX);
  if (reg >= ZYDIS_REGISTER_EAX && reg <= ZYDIS_REGISTER_R15D)
    return static_cast<std::uint8_t>(reg - ZYDIS_REGISTER_EAX);
  if (reg >= ZYDIS_REGISTER_AX && reg <= ZYDIS_REGISTER_R15W)
    return static_cast<std::uint8_t>(reg - ZYDIS_REGISTER_AX);
  if (reg >= ZYDIS_REGISTER_AL && reg <= ZYDIS_REGISTER_BL)
    return static_cast<std::uint8_t>(reg - ZYDIS_REGISTER_AL);
  if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
    return static_cast<std::uint8_t>(reg - ZYDIS_REGISTER_AH);
  if (reg >= ZYDIS_REGISTER_SPL && reg <= ZYDIS_REGISTER_R15B)
    return static_cast<std::uint8_t>(reg - ZYDIS_REGISTER_SPL + Reg::kRsp);
  return reg == ZYDIS_REGISTER_RIP ? Reg::kRip : Reg::kNone;
}

bool is_64_bit(ZydisRegister reg) { return reg >= ZYDIS_REGISTER_RAX && reg <= ZYDIS_REGISTER_R15; }

std::optional<std::uint64_t> relative_target(const ZydisDecodedInstruction& insn,
                                             const Operands& operands, std::uint64_t addr) {
  const ZydisDecodedOperand& operand = operands[0];
  if (operand.type != ZYDIS_OPERAND_TYPE_IMMEDIATE || operand.imm.is_relative == 0)
    return std::nullopt;
  return addr + insn.length + static_cast<std::uint64_t>(operand.imm.value.s);
}

IndirectForm indirect_form(const ZydisDecodedInstruction& insn, const Operands& operands) {
  if ((insn.attributes & ZYDIS_ATTRIB_HAS_NOTRACK) != 0) return IndirectForm::kNotrack;
  if (operands[0].type != ZYDIS_OPERAND_TYPE_MEMORY ||
      insn.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
    return IndirectForm::kRegister;
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

// arch/x86/kernel/uprobes.c: is_prefix_bad, and branches with an operand-size prefix.
// Beside what it refuses there is what it would do wrong: it takes 0x90 behind any prefix for a
// nop, and "xchg %rax,%r8" (49 90) would be left out.
bool kernel_refuses_prefix(const ZydisDecodedInstruction& insn) {
  if (insn.mnemonic == ZYDIS_MNEMONIC_XCHG && insn.opcode == 0x90) return true;
  for (std::uint8_t i = 0; i < insn.raw.prefix_count; ++i) {
    switch (insn.raw.prefixes[i].value) {
      case 0x26:
      case 0x2e:
      case 0x36:
      case 0x3e:
      case 0xf0:
        return true;
      case 0x66:
        if (insn.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE) return true;
        break;
      default:
        break;
    }
  }
  return false;
}

Operation operation_of(const ZydisDecodedInstruction& insn) {
  switch (insn.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
      return Operation::kMov;
    case ZYDIS_MNEMONIC_MOVSXD:
      return Operation::kMovSignExtended;
    case ZYDIS_MNEMONIC_LEA:
      return Operation::kLea;
    case ZYDIS_MNEMONIC_ADD:
      return Operation::kAdd;
    case ZYDIS_MNEMONIC_SUB:
      return Operation::kSub;
    case ZYDIS_MNEMONIC_AND:
      return Operation::kAnd;
    case ZYDIS_MNEMONIC_CMP:
      return Operation::kCmp;
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_PUSHFQ:
      return insn.operand_width == 64 ? Operation::kPush : Operation::kOther;
    case ZYDIS_MNEMONIC_POP:
    case ZYDIS_MNEMONIC_POPFQ:
      return insn.operand_width == 64 ? Operation::kPop : Operation::kOther;
    case ZYDIS_MNEMONIC_LEAVE:
      return Operation::kLeave;
    case ZYDIS_MNEMONIC_NOP:
      return Operation::kNop;
    default:
      return Operation::kOther;
  }
}

void classify_operands(const ZydisDecodedInstruction& insn, const Operands& operands,
                       Instruction& out) {
  for (std::size_t i = 0; i < insn.operand_count; ++i) {
    const ZydisDecodedOperand& operand = operands[i];
    const bool visible = i < insn.operand_count_visible;
    if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER) {
      const std::uint8_t number = register_number(operand.reg.value);
      if (number >= Reg::kRip) continue;
      if ((operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0)
        out.writes = static_cast<std::uint16_t>(out.writes | 1U << number);
      if (!visible || !is_64_bit(operand.reg.value)) continue;
      if (i == 0) out.dst = number;
      if (i == 1) out.src = number;
    } else if (!visible) {
      continue;
    } else if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY) {
      out.has_memory = true;
      out.base = register_number(operand.mem.base);
      out.index = register_number(operand.mem.index);
      out.scale = operand.mem.scale;
      out.disp = operand.mem.disp.value;
      if (out.base == Reg::kRip) out.disp += static_cast<std::int64_t>(out.next_addr());
    } else if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operand.imm.is_relative == 0) {
      out.has_imm = true;
      out.imm = operand.imm.value.s;
    }
  }
}

void classify_flow(const ZydisDecodedInstruction& insn, const Operands& operands,
                   Instruction& out) {
  const auto target = relative_target(insn, operands, out.addr);
  switch (insn.mnemonic) {
    case ZYDIS_MNEMONIC_RET:
      // A far return leaves in a way of its own, as a jump to somewhere would.
      out.flow =
          insn.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ? Flow::kIndirectJump : Flow::kReturn;
      out.indirect = out.flow == Flow::kReturn ? IndirectForm::kNone : IndirectForm::kRegister;
      return;
    case ZYDIS_MNEMONIC_CALL:
      out.flow = Flow::kCall;
      out.target = target.value_or(0);
      return;
    case ZYDIS_MNEMONIC_JMP:
      out.flow = target ? Flow::kJump : Flow::kIndirectJump;
      out.target = target.value_or(0);
      if (!target) out.indirect = indirect_form(insn, operands);
      return;
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
    case ZYDIS_MNEMONIC_HLT:
    case ZYDIS_MNEMONIC_INT3:
      out.flow = Flow::kStop;
      return;
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
      out.flow = Flow::kIndirectJump;
      out.indirect = IndirectForm::kRegister;
      return;
    default:
      break;
  }
  if (insn.meta.category != ZYDIS_CATEGORY_COND_BR || !target) return;
  out.flow = Flow::kBranch;
  out.target = *target;
  const bool short_form =
      insn.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && insn.opcode >= 0x70 && insn.opcode <= 0x7f;
  const bool near_form =
      insn.opcode_map == ZYDIS_OPCODE_MAP_0F && insn.opcode >= 0x80 && insn.opcode <= 0x8f;
  if (short_form || near_form) out.condition = insn.opcode & 0xfU;
}

bool is_system(const ZydisDecodedInstruction& insn) {
  switch (insn.meta.category) {
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_UNCOND_BR:  // xabort
    case ZYDIS_CATEGORY_VTX:
    case ZYDIS_CATEGORY_WAITPKG:
      return true;
    default:
      return false;
  }
}

ZydisDecoder make_decoder() {
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  return decoder;
}

}  // namespace

std::optional<Instruction> decode(std::span<const std::uint8_t> code, std::uint64_t addr) {
  static const ZydisDecoder kDecoder = make_decoder();
  ZydisDecodedInstruction insn;
  Operands operands;  // NOLINT: written by the decoder as far as operand_count
  if (code.empty() || !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&kDecoder, code.data(), code.size(),
                                                           &insn, operands.data())))
    return std::nullopt;
  Instruction out;
  out.addr = addr;
  out.length = insn.length;
  out.operation = operation_of(insn);
  out.emulated = kernel_emulates(code, insn);
  out.refused_prefix = kernel_refuses_prefix(insn);
  out.vector_encoded = insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY;
  out.padding = insn.mnemonic == ZYDIS_MNEMONIC_NOP || insn.mnemonic == ZYDIS_MNEMONIC_INT3;
  classify_operands(insn, operands, out);
  classify_flow(insn, operands, out);
  out.system = out.flow == Flow::kNext && is_system(insn);
  constexpr ZydisInstructionAttributes kRepeats =
      ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE;
  out.repeats = (insn.attributes & kRepeats) != 0;
  return out;
}

}  // namespace callscope
