// SPDX-License-Identifier: Apache-2.0
// One x86-64 instruction, reduced to what probe placement asks: how long it is, where control goes,
// what it does to the stack and to registers, and whether the kernel emulates it under a uprobe or
// must single-step it. Plain values; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace callscope {

enum class Flow : std::uint8_t {
  kNext,          // falls through
  kReturn,        // ret
  kJump,          // jmp to a known address
  kBranch,        // jcc, loop, jrcxz: to a known address or on
  kIndirectJump,  // jmp through a register or memory
  kCall,          // comes back, or never does
  kStop,          // ud2, hlt, int3: nothing behind it is reached
};

// The forms of an indirect jump that compilers use for switch tables differ from tail calls.
enum class IndirectForm : std::uint8_t {
  kNone,
  kNotrack,   // notrack jmp: compilers emit it for switch tables only
  kIndexed,   // jmp *table(,%reg,8): a switch table
  kRegister,  // jmp *%reg: either
  kMemory,    // jmp *8(%rax), jmp *slot(%rip): a tail call through a pointer
};

// Operations that somebody asks for; all others are kOther.
enum class Operation : std::uint8_t {
  kOther,
  kMov,
  kMovSignExtended,  // movslq: loads an entry of a switch table
  kLea,
  kAdd,
  kSub,
  kAnd,
  kCmp,
  kPush,
  kPop,
  kLeave,
  kNop,
};

// General registers by their number in machine code.
struct Reg {
  static constexpr std::uint8_t kRcx = 1;
  static constexpr std::uint8_t kRdx = 2;
  static constexpr std::uint8_t kRsp = 4;
  static constexpr std::uint8_t kRbp = 5;
  static constexpr std::uint8_t kRsi = 6;
  static constexpr std::uint8_t kRdi = 7;
  static constexpr std::uint8_t kR8 = 8;
  static constexpr std::uint8_t kR9 = 9;
  static constexpr std::uint8_t kRip = 16;  // base of a memory operand only
  static constexpr std::uint8_t kNone = 0xff;
};

constexpr std::uint8_t kNoCondition = 0xff;

struct Instruction {
  std::uint64_t addr = 0;    // ELF virtual address
  std::uint64_t target = 0;  // of kJump, kBranch and a direct kCall; else 0
  std::int64_t imm = 0;      // immediate operand
  std::int64_t disp = 0;     // of the memory operand; of a %rip one the address itself

  std::uint8_t length = 0;  // bytes
  Flow flow = Flow::kNext;
  IndirectForm indirect = IndirectForm::kNone;
  Operation operation = Operation::kOther;
  std::uint8_t condition = kNoCondition;  // of jcc: the low four bits of its opcode

  std::uint8_t dst = Reg::kNone;    // 64-bit register that is the first operand
  std::uint8_t src = Reg::kNone;    // 64-bit register that is the second one
  std::uint8_t base = Reg::kNone;   // of the memory operand
  std::uint8_t index = Reg::kNone;  // of the memory operand
  std::uint8_t scale = 0;           // of the index
  std::uint16_t writes = 0;         // bit n: writes general register n, or a part of it

  bool has_memory = false;  // one operand is in memory, or an address (lea)
  bool has_imm = false;
  bool emulated = false;        // cheap under a uprobe
  bool refused_prefix = false;  // lock or a segment: the kernel refuses a uprobe on it
  bool vector_encoded = false;  // VEX, EVEX or XOP prefix: see refuses_probe()
  bool padding = false;         // nop or int3 that aligns what follows
  bool system = false;          // syscall, int, in, hlt ...: enters the kernel or asks for it
  bool repeats = false;         // has a rep prefix: may take long

  [[nodiscard]] std::uint64_t next_addr() const { return addr + length; }
  // Of a %rip operand.
  [[nodiscard]] std::uint64_t disp_addr() const { return static_cast<std::uint64_t>(disp); }
  [[nodiscard]] bool writes_register(std::uint8_t number) const {
    return (writes >> number & 1U) != 0;
  }
  // The displacement of an operand d(%reg), lea included.
  [[nodiscard]] std::optional<std::int64_t> operand_at(std::uint8_t reg) const {
    if (!has_memory || base != reg) return std::nullopt;
    return disp;
  }

  // A probe here would be refused by the kernel, or worse: arch/x86/kernel/uprobes.c takes the
  // opcode byte of a vector instruction for that of a one-byte jump (vpor for jmp, vpcmpeqb and
  // vpbroadcastb for jcc) and skips it. Measured on 6.18: vpor left its result out.
  [[nodiscard]] bool refuses_probe() const { return refused_prefix || vector_encoded; }
};

// The instruction at the start of code, which lies at addr; nothing if the bytes are none.
std::optional<Instruction> decode(std::span<const std::uint8_t> code, std::uint64_t addr);

}  // namespace callscope
