// SPDX-License-Identifier: Apache-2.0
#include "report/plain_text.hpp"

#include <algorithm>
#include <cstdint>

namespace callscope {
namespace {

constexpr std::string_view kGap = "...";

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::uint32_t low_bits(char c, std::uint32_t mask) { return static_cast<unsigned char>(c) & mask; }

// Length of the valid, visible UTF-8 character at the start of text; 0 if there is none.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7F ? 1 : 0;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  std::uint32_t code = low_bits(text.front(), 0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
    code = (code << 6) | low_bits(text[i], 0x3F);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  const bool control = code < 0xA0;  // C1: some terminals obey them
  // Marks that reverse the reading direction can make a name look like another.
  const bool direction = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  return overlong || surrogate || control || direction || code > 0x10FFFF ? 0 : length;
}

// Byte position of character number index.
std::size_t position_of(std::string_view text, std::size_t index) {
  std::size_t position = 0;
  for (; index > 0 && position < text.size(); --index) {
    ++position;
    while (position < text.size() && is_continuation(text[position])) ++position;
  }
  return position;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) {
      safe += '?';
    } else {
      safe += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return safe;
}

std::size_t text_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

std::string cut_middle(std::string_view text, std::size_t width) {
  const std::size_t characters = text_width(text);
  if (characters <= width) return std::string(text);
  if (width <= kGap.size()) return std::string(kGap.substr(0, width));
  // A little more of the end than of the start: there the name of the function is.
  const std::size_t room = width - kGap.size();
  const std::size_t tail = (room * 3 + 4) / 5;
  std::string cut(text.substr(0, position_of(text, room - tail)));
  cut += kGap;
  cut += text.substr(position_of(text, characters - tail));
  return cut;
}

std::string cut_end(std::string_view text, std::size_t width) {
  if (text_width(text) <= width) return std::string(text);
  if (width <= kGap.size()) return std::string(kGap.substr(0, width));
  return std::string(text.substr(0, position_of(text, width - kGap.size()))) + std::string(kGap);
}

}  // namespace callscope
