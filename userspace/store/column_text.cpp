// SPDX-License-Identifier: Apache-2.0
#include "store/column_text.hpp"

#include <algorithm>

#include "callscope/abi/histogram.h"
#include "sys/parse_number.hpp"

namespace callscope::store {
namespace {

constexpr std::string_view kNull = "null";

// Hands each comma-separated item between the brackets to read_item, which returns false for one
// that cannot be.
template <typename ReadItem>
bool for_items(std::string_view text, char open, char close, ReadItem read_item) {
  if (text.size() < 2 || text.front() != open || text.back() != close) return false;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (!read_item(text.substr(0, comma))) return false;
    if (comma + 1 == text.size()) return false;
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return true;
}

}  // namespace

std::string ids_text(std::span<const std::uint32_t> ids) {
  std::string text = "[";
  for (const std::uint32_t id : ids) {
    if (text.size() > 1) text += ',';
    text += std::to_string(id);
  }
  return text += ']';
}

std::string numbers_text(std::span<const OptionalNumber> numbers) {
  std::string text = "[";
  for (const OptionalNumber& number : numbers) {
    if (text.size() > 1) text += ',';
    text += number ? std::to_string(*number) : std::string(kNull);
  }
  return text += ']';
}

std::string slots_text(std::span<const SlotCount> slots) {
  std::string text = "{";
  for (const auto& [slot, count] : slots) {
    if (text.size() > 1) text += ',';
    text += '"' + std::to_string(slot) + "\":" + std::to_string(count);
  }
  return text += '}';
}

bool parse_ids(std::string_view text, std::size_t limit, std::vector<std::uint32_t>& out) {
  return for_items(text, '[', ']', [&](std::string_view item) {
    const std::optional<std::uint32_t> id = parse_number<std::uint32_t>(item);
    if (!id || *id >= limit) return false;
    out.push_back(*id);
    return true;
  });
}

bool parse_numbers(std::string_view text, std::size_t max_count, std::vector<OptionalNumber>& out) {
  return for_items(text, '[', ']', [&](std::string_view item) {
    const OptionalNumber number = item == kNull ? std::nullopt : parse_number<std::uint64_t>(item);
    if ((!number && item != kNull) || out.size() >= max_count) return false;
    out.push_back(number);
    return true;
  });
}

bool parse_slots(std::string_view text, std::vector<SlotCount>& out) {
  return for_items(text, '{', '}', [&](std::string_view item) {
    const std::size_t colon = item.find("\":");
    if (!item.starts_with('"') || colon == std::string_view::npos) return false;
    const auto slot = parse_number<std::uint32_t>(item.substr(1, colon - 1), 0, CS_HIST_SLOTS - 1);
    const auto count = parse_number<std::uint64_t>(item.substr(colon + 2));
    if (!slot || !count || (!out.empty() && out.back().first >= *slot)) return false;
    out.emplace_back(*slot, *count);
    return true;
  });
}

}  // namespace callscope::store
