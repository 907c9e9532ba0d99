// SPDX-License-Identifier: Apache-2.0
#include "unwind/padding.hpp"

#include <algorithm>

namespace callscope {
namespace {

// Bytes of the nop at the front; 0 if there is none. Any number of 66, then perhaps 2e, then 90 or
// 0f 1f with an operand in memory (Intel SDM, NOP).
std::size_t nop_bytes(ByteSpan bytes) {
  std::size_t pos = 0;
  while (pos < bytes.size() && bytes[pos] == 0x66) ++pos;
  if (pos < bytes.size() && bytes[pos] == 0x2e) ++pos;
  if (pos < bytes.size() && bytes[pos] == 0x90) return pos + 1;
  if (pos + 2 >= bytes.size() || bytes[pos] != 0x0f || bytes[pos + 1] != 0x1f) return 0;
  std::size_t end = pos + 3;
  switch (bytes[pos + 2]) {  // ModRM as assemblers choose it
    case 0x00:               // (%rax)
      break;
    case 0x40:  // disp8
      end += 1;
      break;
    case 0x44:  // SIB, disp8
      end += 2;
      break;
    case 0x80:  // disp32
      end += 4;
      break;
    case 0x84:  // SIB, disp32
      end += 5;
      break;
    default:
      return 0;
  }
  return end <= bytes.size() ? end : 0;
}

}  // namespace

bool is_padding(ByteSpan bytes) {
  while (!bytes.empty()) {
    const bool filler = bytes[0] == 0 || bytes[0] == 0xcc;
    const std::size_t size = filler ? 1 : nop_bytes(bytes);
    if (size == 0) return false;
    bytes = bytes.subspan(size);
  }
  return true;
}

bool may_call(ByteSpan bytes) {
  constexpr std::uint8_t kCallRelative = 0xe8;
  constexpr std::uint8_t kIndirect = 0xff;
  if (std::ranges::find(bytes, kCallRelative) != bytes.end()) return true;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != kIndirect) continue;
    if (i + 1 == bytes.size()) return true;
    const int operation = bytes[i + 1] >> 3 & 7;
    if (operation == 2 || operation == 3) return true;  // near and far call
  }
  return false;
}

}  // namespace callscope
