// SPDX-License-Identifier: Apache-2.0
#include "collect/list_note.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callscope {
namespace {

constexpr std::size_t kListed = 5;  // names shown of a long list

}  // namespace

std::string list_note(const std::string& what, const std::string& noun, const NamedReasons& items) {
  std::string text =
      fmt::format("{} ({} {}{}): ", what, items.size(), noun, items.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < std::min(items.size(), kListed); ++i)
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", items[i].first, items[i].second);
  if (items.size() > kListed) text += fmt::format(" and {} more", items.size() - kListed);
  return text;
}

}  // namespace callscope
