// SPDX-License-Identifier: Apache-2.0
#include "probes/stack_height.hpp"

namespace callscope {
namespace {

constexpr std::int64_t kWordBytes = 8;

StackHeight::Height plus(StackHeight::Height height, std::int64_t bytes) {
  std::int64_t sum = 0;
  if (!height || __builtin_add_overflow(*height, bytes, &sum)) return std::nullopt;
  return sum;
}

}  // namespace

StackHeight::Height StackHeight::of(std::uint8_t reg) const {
  if (reg == Reg::kRsp) return rsp_;
  if (reg == Reg::kRbp) return rbp_;
  return std::nullopt;
}

// mov %rsp,%rbp and its like, and lea d(%rsp),%rbp.
StackHeight::Height StackHeight::copied(const Instruction& insn) const {
  if (insn.operation == Operation::kMov && !insn.has_memory) return of(insn.src);
  if (insn.operation == Operation::kLea && insn.index == Reg::kNone)
    return plus(of(insn.base), -insn.disp);
  return std::nullopt;
}

StackHeight::Height StackHeight::new_rsp(const Instruction& insn) const {
  switch (insn.operation) {
    case Operation::kPush:
      return plus(rsp_, kWordBytes);
    case Operation::kPop:
      return insn.dst == Reg::kRsp ? std::nullopt : plus(rsp_, -kWordBytes);
    case Operation::kLeave:
      return plus(rbp_, -kWordBytes);
    case Operation::kSub:
    case Operation::kAdd:
      if (insn.dst != Reg::kRsp || !insn.has_imm) return std::nullopt;
      return plus(rsp_, insn.operation == Operation::kSub ? insn.imm : -insn.imm);
    default:
      return insn.dst == Reg::kRsp ? copied(insn) : std::nullopt;
  }
}

void StackHeight::pass(const Instruction& insn) {
  const auto rsp = insn.writes_register(Reg::kRsp) ? new_rsp(insn) : rsp_;
  const auto rbp = insn.writes_register(Reg::kRbp)
                       ? (insn.dst == Reg::kRbp ? copied(insn) : std::nullopt)
                       : rbp_;
  rsp_ = rsp;
  rbp_ = rbp;
}

}  // namespace callscope
