// SPDX-License-Identifier: Apache-2.0
#include "unwind/holes.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace callscope {
namespace {

// So much in one piece comes from another compiler.
constexpr std::uint64_t kForeignBytes = 1U << 20;

// Code in one piece that no FDE covers; may go on over many pages.
struct Hole {
  std::uint64_t start = 0;  // ELF virtual addresses
  std::uint64_t end = 0;
  bool at_edge = false;              // of the segment, where a part of its page is no code at all
  std::vector<cs_unwind_row*> rows;  // one in each page

  [[nodiscard]] std::uint64_t bytes() const { return end - start; }
  [[nodiscard]] bool holds(std::uint64_t addr) const { return addr >= start && addr < end; }
};

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

void set_kind(UnwindTable& table, const Hole& hole, cs_unwind_kind kind) {
  const std::optional<std::uint16_t> rule = rule_of_kind(table, kind);
  if (!rule) return;
  for (cs_unwind_row* const row : hole.rows) row->rule = *rule;
}

std::vector<Hole> find_holes(UnwindTable& table) {
  std::vector<Hole> holes;
  std::uint64_t page_end = 0;  // of the page before
  for (const UnwindPage& page : table.pages) {
    const bool first = page.start != page_end;
    if (first && !holes.empty() && holes.back().end == page_end) holes.back().at_edge = true;
    page_end = page.start + CS_UNWIND_PAGE_SIZE;
    for (std::uint32_t i = 0; i < page.count; ++i) {
      cs_unwind_row& row = table.rows[page.first + i];
      if (row.rule >= table.rules.size() || table.rules[row.rule].kind != CS_UNWIND_NO_TABLE)
        continue;
      const std::uint64_t start = page.start + row.pc_low;
      if (holes.empty() || holes.back().end != start || (first && i == 0))
        holes.push_back({start, start, first && i == 0, {}});
      holes.back().rows.push_back(&row);
      holes.back().end =
          i + 1 < page.count ? page.start + table.rows[page.first + i + 1].pc_low : page_end;
    }
  }
  if (!holes.empty() && holes.back().end == page_end) holes.back().at_edge = true;
  return holes;
}

// Whether less than half of the code is described.
bool is_mostly_holes(const UnwindTable& table, const std::vector<Hole>& holes) {
  std::uint64_t missing = 0;
  std::uint64_t all = table.pages.size() * CS_UNWIND_PAGE_SIZE;
  for (const Hole& hole : holes) {
    const std::uint64_t no_code =
        hole.at_edge ? std::min<std::uint64_t>(hole.bytes(), CS_UNWIND_PAGE_SIZE) : 0;
    missing += hole.bytes() - no_code;
    all -= no_code;
  }
  return missing * 2 > all;
}

}  // namespace

void judge_holes(UnwindTable& table, std::uint64_t entry) {
  const std::vector<Hole> holes = find_holes(table);
  const bool mostly = is_mostly_holes(table, holes);
  for (const Hole& hole : holes) {
    if (hole.bytes() >= kForeignBytes || (mostly && !hole.holds(entry)))
      set_kind(table, hole, CS_UNWIND_FRAME_POINTER);
    else if (entry != 0 && hole.holds(entry))
      set_kind(table, hole, CS_UNWIND_END);
  }
}

}  // namespace callscope
