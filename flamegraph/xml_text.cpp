// SPDX-License-Identifier: Apache-2.0
#include "flamegraph/xml_text.hpp"

#include <cstdint>

namespace callscope {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::string_view kEllipsis = "\xe2\x80\xa6";     // U+2026
constexpr char32_t kInvalid = 0xffffffff;

struct CodePoint {
  char32_t value = kInvalid;
  std::size_t length = 1;  // bytes it takes in the text
};

// Reads the code point at the start of text, which is not empty. Overlong forms, surrogates and
// truncated sequences are invalid and take one byte.
CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
  char32_t value = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return {};
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (overlong || surrogate || value > 0x10ffff) return {};
  return {value, length};
}

bool is_control(char32_t c) {
  const bool direction = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xfffe || c == 0xffff || direction;
}

// Blocks that monospaced fonts draw two columns wide: Hangul, CJK, full-width forms, emoji.
std::size_t columns_of(char32_t c) {
  const bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
                    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                    (c >= 0xff00 && c <= 0xff60) || (c >= 0x1f300 && c <= 0x3fffd);
  return wide ? 2 : 1;
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = decode(text);
    if (point.value == '\t' || point.value == '\n' || point.value == '\r') {
      clean += ' ';
    } else if (point.value == kInvalid || is_control(point.value)) {
      clean += kReplacement;
    } else {
      clean += text.substr(0, point.length);
    }
    text.remove_prefix(point.length);
  }
  return clean;
}

std::string xml_escape(std::string_view clean) {
  std::string escaped;
  escaped.reserve(clean.size() + 16);
  for (const char c : clean) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string fit_text(std::string_view clean, std::size_t columns) {
  std::size_t used = 0;
  std::size_t cut = 0;  // bytes that leave one column for the ellipsis
  for (std::size_t at = 0; at < clean.size();) {
    const CodePoint point = decode(clean.substr(at));
    used += columns_of(point.value);
    if (used > columns)
      return columns < 3 ? "" : std::string(clean.substr(0, cut)).append(kEllipsis);
    at += point.length;
    if (used < columns) cut = at;
  }
  return std::string(clean);
}

}  // namespace callscope
