// SPDX-License-Identifier: Apache-2.0
// One x86-64 instruction, reduced to what probe placement asks: how long it is, where control goes,
// and whether the kernel emulates it under a uprobe or must single-step it. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace callscope {

enum class Flow {
  kNext,          // falls through
  kReturn,        // ret
  kJump,          // jmp to a known address
  kBranch,        // jcc, loop, jrcxz: to a known address or on
  kIndirectJump,  // jmp through a register or memory
  kCall,          // comes back, or never does
  kStop,          // ud2, hlt, int3: nothing behind it is reached
};

// The forms of an indirect jump that compilers use for switch tables differ from tail calls.
enum class IndirectForm {
  kNone,
  kNotrack,   // notrack jmp: compilers emit it for switch tables only
  kIndexed,   // jmp *table(,%reg,8): a switch table
  kRegister,  // jmp *%reg: either
  kMemory,    // jmp *8(%rax), jmp *slot(%rip): a tail call through a pointer
};

struct Instruction {
  std::uint8_t length = 0;
  Flow flow = Flow::kNext;
  IndirectForm indirect = IndirectForm::kNone;
  std::uint64_t target = 0;     // of kJump and kBranch
  bool emulated = false;        // cheap under a uprobe
  bool table_load = false;      // movslq or add as found before "jmp *%reg" of a switch
  bool locked = false;          // has a lock prefix: the kernel refuses a uprobe on it
  bool vector_encoded = false;  // VEX, EVEX or XOP prefix: see refuses_probe()
  bool padding = false;         // nop or int3 that aligns what follows

  // What it does with the stack, for return_slot.hpp. Stack offsets are relative to rsp or rbp.
  std::int64_t stack_growth = 0;  // bytes that rsp goes down by; pop and add are negative
  bool sets_rbp = false;          // mov %rsp,%rbp
  bool leaves = false;            // leave, or mov %rbp,%rsp
  bool pops = false;
  std::optional<std::int64_t> rsp_operand;  // displacement of an operand d(%rsp), lea included
  std::optional<std::int64_t> rbp_operand;

  // A probe here would be refused by the kernel, or worse: arch/x86/kernel/uprobes.c takes the
  // opcode byte of a vector instruction for that of a one-byte jump (vpor for jmp, vpcmpeqb and
  // vpbroadcastb for jcc) and skips it. Measured on 6.18: vpor left its result out.
  [[nodiscard]] bool refuses_probe() const { return locked || vector_encoded; }
};

// The instruction at the start of code, which lies at addr; nothing if the bytes are none.
std::optional<Instruction> decode(std::span<const std::uint8_t> code, std::uint64_t addr);

}  // namespace callscope
