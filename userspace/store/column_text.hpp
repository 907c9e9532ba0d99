// SPDX-License-Identifier: Apache-2.0
// Lists that stand in one column as JSON, so that SQLite's json_each can read them: "[3,0,1]",
// "[1,null]", {"108":500}. Written compactly; read strictly, since the file may come from anyone:
// a reader returns false for anything that a writer here would not write. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace callscope::store {

using SlotCount = std::pair<std::uint32_t, std::uint64_t>;
using OptionalNumber = std::optional<std::uint64_t>;

std::string ids_text(std::span<const std::uint32_t> ids);
std::string numbers_text(std::span<const OptionalNumber> numbers);
std::string slots_text(std::span<const SlotCount> slots);

// Each id below limit.
bool parse_ids(std::string_view text, std::size_t limit, std::vector<std::uint32_t>& out);

// At most max_count of them.
bool parse_numbers(std::string_view text, std::size_t max_count, std::vector<OptionalNumber>& out);

// Slots ascending and below CS_HIST_SLOTS.
bool parse_slots(std::string_view text, std::vector<SlotCount>& out);

}  // namespace callscope::store
