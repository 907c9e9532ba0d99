// SPDX-License-Identifier: Apache-2.0
#include "unwind/holes.hpp"

#include <cstddef>
#include <optional>

namespace callscope {
namespace {

// Of the first rule of this kind, which is appended if there is none. nullopt: no room.
std::optional<std::uint16_t> rule_of_kind(UnwindTable& table, cs_unwind_kind kind) {
  for (std::size_t i = 0; i < table.rules.size(); ++i)
    if (table.rules[i].kind == kind) return static_cast<std::uint16_t>(i);
  if (table.rules.size() > UINT16_MAX) return std::nullopt;
  cs_unwind_rule rule{};
  rule.kind = static_cast<std::uint8_t>(kind);
  table.rules.push_back(rule);
  return static_cast<std::uint16_t>(table.rules.size() - 1);
}

}  // namespace

void judge_holes(UnwindTable& table, std::uint64_t entry) {
  std::uint64_t covered = 0;
  std::uint64_t holes = 0;
  cs_unwind_row* outermost = nullptr;
  const auto is_hole = [&](const cs_unwind_row& row) {
    return row.rule < table.rules.size() && table.rules[row.rule].kind == CS_UNWIND_NO_TABLE;
  };
  for (const UnwindPage& page : table.pages)
    for (std::uint32_t i = 0; i < page.count; ++i) {
      cs_unwind_row& row = table.rows[page.first + i];
      const std::uint32_t end =
          i + 1 < page.count ? table.rows[page.first + i + 1].pc_low : CS_UNWIND_PAGE_SIZE;
      if (!is_hole(row)) {
        covered += end - row.pc_low;
        continue;
      }
      // What is no code at all in the first and the last page is a hole as well.
      if (i > 0 && i + 1 < page.count) holes += end - row.pc_low;
      if (entry != 0 && entry >= page.start + row.pc_low && entry < page.start + end)
        outermost = &row;
    }
  if (holes > covered) {
    const auto by_frame_pointer = rule_of_kind(table, CS_UNWIND_FRAME_POINTER);
    if (!by_frame_pointer) return;
    for (cs_unwind_row& row : table.rows)
      if (is_hole(row) && &row != outermost) row.rule = *by_frame_pointer;
  }
  if (outermost == nullptr) return;
  if (const auto end = rule_of_kind(table, CS_UNWIND_END)) outermost->rule = *end;
}

}  // namespace callscope
