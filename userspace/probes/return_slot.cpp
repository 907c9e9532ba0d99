// SPDX-License-Identifier: Apache-2.0
#include "probes/return_slot.hpp"

#include <algorithm>
#include <optional>

namespace callscope {
namespace {

// Follows the height of the stack through the code in the order of addresses. Behind a ret or a
// jump the height is that of the body again: the deepest one so far.
class SlotWatcher {
 public:
  bool touches(const Instruction& insn) {
    if (insn.operation == Operation::kPop && height_ <= 0)
      return true;  // takes the return address off the stack
    const auto rsp_operand = insn.operand_at(Reg::kRsp);
    if (is_slot(rsp_operand, height_) || is_slot(rsp_operand, deepest_)) return true;
    if (frame_ && is_slot(insn.operand_at(Reg::kRbp), *frame_)) return true;
    const bool copies_rsp = insn.operation == Operation::kMov && insn.src == Reg::kRsp;
    if (copies_rsp && insn.dst == Reg::kRbp) frame_ = height_;
    height_ += growth(insn);
    if (insn.operation == Operation::kLeave) height_ = 0;
    deepest_ = std::max(deepest_, height_);
    if (insn.flow == Flow::kReturn || insn.flow == Flow::kJump ||
        insn.flow == Flow::kIndirectJump || insn.flow == Flow::kStop)
      height_ = deepest_;
    return false;
  }

 private:
  static bool is_slot(const std::optional<std::int64_t>& operand, std::int64_t height) {
    return operand && *operand == height;
  }

  // Bytes that rsp goes down by.
  static std::int64_t growth(const Instruction& insn) {
    constexpr std::int64_t kWordBytes = 8;
    switch (insn.operation) {
      case Operation::kPush:
        return kWordBytes;
      case Operation::kPop:
        return -kWordBytes;
      case Operation::kSub:
        return insn.dst == Reg::kRsp && insn.has_imm ? insn.imm : 0;
      case Operation::kAdd:
        return insn.dst == Reg::kRsp && insn.has_imm ? -insn.imm : 0;
      default:
        return 0;
    }
  }

  std::int64_t height_ = 0;  // bytes between rsp and the return slot
  std::int64_t deepest_ = 0;
  std::optional<std::int64_t> frame_;  // bytes between rbp and the return slot, once it is set
};

}  // namespace

bool touches_return_slot(const FunctionCode& code) {
  SlotWatcher watcher;
  return code.undecodable() ||
         std::ranges::any_of(code.instructions(),
                             [&](const Instruction& insn) { return watcher.touches(insn); });
}

bool switches_stack(const FunctionCode& code) {
  return std::ranges::any_of(code.instructions(), [](const Instruction& insn) {
    const bool own_frame = insn.base == Reg::kRsp || insn.base == Reg::kRbp;
    return insn.flow == Flow::kNext && insn.writes_register(Reg::kRsp) && insn.has_memory &&
           !own_frame && insn.operation != Operation::kLea && insn.operation != Operation::kPush &&
           insn.operation != Operation::kPop;
  });
}

}  // namespace callscope
