// SPDX-License-Identifier: Apache-2.0
#include "symbols/symbol_preference.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace callscope {
namespace {

constexpr std::array<std::string_view, 7> kCloneSuffixes = {
    ".cold", ".part", ".isra", ".constprop", ".lto_priv", ".llvm", ".local"};

// Whether text is one clone suffix with an optional ".NUMBER"; text starts with '.'.
bool is_clone_suffix(std::string_view text) {
  for (const std::string_view suffix : kCloneSuffixes) {
    if (!text.starts_with(suffix)) continue;
    const std::string_view rest = text.substr(suffix.size());
    const bool digits =
        rest.size() > 1 && rest[0] == '.' &&
        std::ranges::all_of(rest.substr(1), [](char c) { return c >= '0' && c <= '9'; });
    if (rest.empty() || digits) return true;
  }
  return false;
}

int bind_rank(std::uint8_t bind) {
  if (bind == STB_GLOBAL || bind == STB_GNU_UNIQUE) return 0;
  return bind == STB_WEAK ? 1 : 2;
}

std::size_t leading_underscores(std::string_view name) {
  return std::min(name.find_first_not_of('_'), name.size());
}

}  // namespace

std::size_t clone_suffix_pos(std::string_view name) {
  std::size_t end = name.size();
  std::size_t dot = name.rfind('.', end);
  while (dot != std::string_view::npos && dot > 0) {
    if (is_clone_suffix(name.substr(dot, end - dot))) {
      end = dot;
    } else if (name.find_first_not_of("0123456789", dot + 1) < end || dot + 1 == end) {
      break;  // neither a suffix nor the number that ends one
    }
    dot = name.rfind('.', dot - 1);
  }
  return end;
}

bool preferred_name(const Symbol& a, const Symbol& b) {
  const auto rank = [](const Symbol& s) {
    return std::tuple(!s.function(), bind_rank(s.bind), s.size == 0,
                      clone_suffix_pos(s.name) != s.name.size(), leading_underscores(s.name),
                      s.name.size(), s.name);
  };
  return rank(a) < rank(b);
}

}  // namespace callscope
