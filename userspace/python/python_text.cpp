// SPDX-License-Identifier: Apache-2.0
#include "python/python_text.hpp"

#include <algorithm>

namespace callscope {
namespace {

void append_utf8(std::string& text, std::uint32_t code_point) {
  if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point < 0xe000)) code_point = 0xfffd;
  const auto tail = [&](unsigned shift) {
    text += static_cast<char>(0x80U | (code_point >> shift & 0x3fU));
  };
  if (code_point < 0x80) {
    text += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    text += static_cast<char>(0xc0U | code_point >> 6);
    tail(0);
  } else if (code_point < 0x10000) {
    text += static_cast<char>(0xe0U | code_point >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xf0U | code_point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

std::uint32_t character(ByteSpan bytes, std::uint64_t pos, std::uint32_t width) {
  if (width == 1) return load<std::uint8_t>(bytes, pos).value_or(0);
  if (width == 2) return load<std::uint16_t>(bytes, pos).value_or(0);
  return load<std::uint32_t>(bytes, pos).value_or(0);
}

}  // namespace

std::string python_text(const cs_python_text& text, ByteSpan bytes) {
  std::string result;
  if (text.width != 1 && text.width != 2 && text.width != 4) return result;
  const std::uint64_t room = bytes.size() / text.width;
  const std::uint64_t count = std::min<std::uint64_t>(text.length, room);
  for (std::uint64_t i = 0; i < count; ++i)
    append_utf8(result, character(bytes, i * text.width, text.width));
  if (text.length > room) result += "...";
  return result;
}

}  // namespace callscope
