// SPDX-License-Identifier: Apache-2.0
#include "probes/return_slot.hpp"

#include <algorithm>
#include <optional>

#include "probes/decoder.hpp"

namespace callscope {
namespace {

// Follows the height of the stack through the code in the order of addresses. Behind a ret or a
// jump the height is that of the body again: the deepest one so far.
class SlotWatcher {
 public:
  bool touches(const Instruction& insn) {
    if (insn.pops && height_ <= 0) return true;  // takes the return address off the stack
    if (is_slot(insn.rsp_operand, height_) || is_slot(insn.rsp_operand, deepest_)) return true;
    if (frame_ && is_slot(insn.rbp_operand, *frame_)) return true;
    if (insn.sets_rbp) frame_ = height_;
    height_ += insn.stack_growth;
    if (insn.leaves) height_ = 0;
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

  std::int64_t height_ = 0;  // bytes between rsp and the return slot
  std::int64_t deepest_ = 0;
  std::optional<std::int64_t> frame_;  // bytes between rbp and the return slot, once it is set
};

}  // namespace

bool touches_return_slot(std::span<const CodeRange> ranges) {
  SlotWatcher watcher;
  for (const CodeRange& range : ranges) {
    std::size_t pos = 0;
    while (pos < range.bytes.size()) {
      const auto insn = decode(range.bytes.subspan(pos), range.addr + pos);
      if (!insn || watcher.touches(*insn)) return true;
      pos += insn->length;
    }
  }
  return false;
}

}  // namespace callscope
