// SPDX-License-Identifier: Apache-2.0
#include "unwind/realigned_stack.hpp"

#include "unwind/frame_rule.hpp"

namespace callscope {
namespace {

constexpr std::uint8_t kAllSaved = (1U << CS_SAVED_COUNT) - 1;
constexpr std::uint8_t kPopRbp = 0x5d;
constexpr std::uint8_t kLeave = 0xc9;

// lea -8(reg), %rsp, of the registers r8 to r15 that need no SIB byte.
constexpr std::uint64_t kLeaBytes = 4;
bool is_lea_to_rsp(ByteSpan code, int reg) {
  return reg >= 8 && reg < 16 && reg != kDwarfR12 && code[0] == 0x49 && code[1] == 0x8d &&
         code[2] == (0x60 | (reg - 8)) && code[3] == 0xf8;
}

}  // namespace

std::uint64_t restored_bytes(const cs_unwind_rule& rule, ByteSpan code) {
  if (rule.kind != CS_UNWIND_CFA || (rule.saved & CS_UNWIND_SAVED_BY_RBP) == 0) return 0;
  // Nothing but the return address is on the stack.
  if (rule.reg == kDwarfRsp && rule.offset == 8) return code.size();
  if (rule.offset != 0 || code.size() <= kLeaBytes) return 0;
  const ByteSpan last = code.last(kLeaBytes);
  const std::uint8_t before = code[code.size() - kLeaBytes - 1];
  return (before == kPopRbp || before == kLeave) && is_lea_to_rsp(last, rule.reg) ? kLeaBytes : 0;
}

cs_unwind_rule with_registers_restored(cs_unwind_rule rule) {
  rule.saved &= static_cast<std::uint8_t>(~(kAllSaved | CS_UNWIND_SAVED_BY_RBP));
  for (std::int16_t& words : rule.saved_at) words = 0;
  return rule;
}

}  // namespace callscope
