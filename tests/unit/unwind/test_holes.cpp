// SPDX-License-Identifier: Apache-2.0
// Code that no FDE covers.
#include <catch2/catch.hpp>

#include "tests/unit/unwind/sample_table.hpp"
#include "unwind/holes.hpp"
#include "unwind/table_builder.hpp"

using namespace callscope;

namespace {

constexpr std::uint64_t kBegin = 0x10000;
constexpr std::uint64_t kMegabyte = 1U << 20;
constexpr std::uint64_t kEnd = kBegin + 8 * kMegabyte;

// Code from kBegin to kEnd, with holes in it.
UnwindTable code_with(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& holes) {
  TableBuilder builder;
  builder.begin_range(kBegin);
  builder.set(kBegin, test::cfa_rule(7, 8));
  for (const auto& [start, end] : holes) {
    builder.set(start, {});
    builder.set(end, test::cfa_rule(7, 16));
  }
  builder.end_range(kEnd);
  return std::move(builder).finish();
}

int kind_at(const UnwindTable& table, std::uint64_t addr) {
  const cs_unwind_rule* const rule = find_rule(table, addr);
  return rule == nullptr ? -1 : rule->kind;
}

}  // namespace

TEST_CASE("a small hole stays one, that of the entry point is the outermost frame", "[unit]") {
  const std::uint64_t small = kBegin + 0x1230;
  const std::uint64_t entry = kBegin + 3 * kMegabyte + 0xfff0;  // over the edge of a page
  UnwindTable table = code_with({{small, small + 0x30000}, {entry, entry + 0x40}});
  judge_holes(table, entry);
  CHECK(kind_at(table, small) == CS_UNWIND_NO_TABLE);
  CHECK(kind_at(table, small + 0x2ffff) == CS_UNWIND_NO_TABLE);
  CHECK(kind_at(table, entry) == CS_UNWIND_END);
  CHECK(kind_at(table, entry + 0x3f) == CS_UNWIND_END);
  CHECK(kind_at(table, entry + 0x40) == CS_UNWIND_CFA);
}

TEST_CASE("a large hole has frame pointers, the others do not", "[unit]") {
  const std::uint64_t small = kBegin + 0x40;
  const std::uint64_t large = kBegin + 2 * kMegabyte + 0x77;
  UnwindTable table = code_with({{small, small + 0x1000}, {large, large + kMegabyte}});
  judge_holes(table, small);
  CHECK(kind_at(table, small) == CS_UNWIND_END);
  CHECK(kind_at(table, large - 1) == CS_UNWIND_CFA);
  for (std::uint64_t addr = large; addr < large + kMegabyte; addr += 0x777)
    REQUIRE(kind_at(table, addr) == CS_UNWIND_FRAME_POINTER);
  CHECK(kind_at(table, large + kMegabyte - 1) == CS_UNWIND_FRAME_POINTER);
  CHECK(kind_at(table, large + kMegabyte) == CS_UNWIND_CFA);
}

TEST_CASE("where most is not described, all holes have frame pointers", "[unit]") {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> holes;
  for (std::uint64_t start = kBegin; start < kEnd; start += kMegabyte / 2)
    holes.emplace_back(start + 0x1000, start + kMegabyte / 4 + 0x3000);
  UnwindTable table = code_with(holes);
  judge_holes(table, holes[2].first);
  for (std::size_t i = 0; i < holes.size(); ++i)
    CHECK(kind_at(table, holes[i].first) == (i == 2 ? CS_UNWIND_END : CS_UNWIND_FRAME_POINTER));
  CHECK(kind_at(table, kBegin) == CS_UNWIND_CFA);
}
