// SPDX-License-Identifier: Apache-2.0
#include "unwind/table_builder.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>
#include <span>

#include "unwind/frame_rule.hpp"

namespace callscope {
namespace {

constexpr std::uint64_t kPageMask = CS_UNWIND_PAGE_SIZE - 1;
constexpr std::size_t kMaxRules = std::numeric_limits<std::uint16_t>::max();
constexpr cs_unwind_rule kNoTable{};

std::uint64_t page_of(std::uint64_t addr) { return addr & ~kPageMask; }

std::uint16_t low_bits(std::uint64_t addr) { return static_cast<std::uint16_t>(addr & kPageMask); }

}  // namespace

std::size_t TableBuilder::RuleHash::operator()(const RuleKey& key) const {
  constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
  std::uint64_t hash = 0;
  for (const std::uint64_t part : key) hash = std::rotl((hash ^ part) * kMix, 29);
  return hash;
}

std::uint16_t TableBuilder::index_of(const cs_unwind_rule& rule) {
  const auto key = std::bit_cast<RuleKey>(rule);
  if (const auto known = index_.find(key); known != index_.end()) return known->second;
  // The last place is kept for this one.
  const cs_unwind_rule full = invalid_rule(CS_UNWIND_INVALID_RANGE);
  const auto full_key = std::bit_cast<RuleKey>(full);
  if (table_.rules.size() + 1 >= kMaxRules && key != full_key) return index_of(full);
  const auto index = static_cast<std::uint16_t>(table_.rules.size());
  table_.rules.push_back(rule);
  index_.emplace(key, index);
  return index;
}

void TableBuilder::open_page(std::uint64_t start, std::uint16_t first_rule) {
  table_.pages.push_back({start, static_cast<std::uint32_t>(table_.rows.size()), 1});
  table_.rows.push_back({0, first_rule});
}

void TableBuilder::open_pages_to(std::uint64_t addr) {
  while (table_.pages.back().start != page_of(addr))
    open_page(table_.pages.back().start + CS_UNWIND_PAGE_SIZE, table_.rows.back().rule);
}

void TableBuilder::begin_range(std::uint64_t start) {
  const std::uint64_t page = page_of(start);
  if (table_.pages.empty() || table_.pages.back().start != page)
    open_page(page, index_of(kNoTable));
}

void TableBuilder::set(std::uint64_t addr, const cs_unwind_rule& rule) {
  const std::uint16_t index = index_of(rule);
  open_pages_to(addr);
  UnwindPage& page = table_.pages.back();
  cs_unwind_row& last = table_.rows.back();
  if (last.rule == index) return;
  if (last.pc_low != low_bits(addr)) {
    table_.rows.push_back({low_bits(addr), index});
    ++page.count;
    return;
  }
  last.rule = index;
  if (page.count == 1 || std::prev(table_.rows.end(), 2)->rule != index) return;
  table_.rows.pop_back();  // as the row before it
  --page.count;
}

void TableBuilder::end_range(std::uint64_t end) {
  open_pages_to(end - 1);
  if (low_bits(end) != 0) set(end, kNoTable);
}

UnwindTable TableBuilder::finish() && {
  for (const cs_unwind_row& row : table_.rows) {
    const cs_unwind_rule& rule = table_.rules[row.rule];
    if (rule.kind == CS_UNWIND_INVALID)
      ++table_.invalid_rows[static_cast<std::size_t>(rule.offset)];
  }
  return std::move(table_);
}

const cs_unwind_rule* find_rule(const UnwindTable& table, std::uint64_t addr) {
  const auto page = std::ranges::lower_bound(table.pages, page_of(addr), {}, &UnwindPage::start);
  if (page == table.pages.end() || page->start != page_of(addr)) return nullptr;
  const auto rows = std::span(table.rows).subspan(page->first, page->count);
  const auto next = std::ranges::upper_bound(rows, low_bits(addr), {}, &cs_unwind_row::pc_low);
  return &table.rules[std::prev(next)->rule];
}

}  // namespace callscope
