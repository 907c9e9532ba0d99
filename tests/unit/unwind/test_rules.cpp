// SPDX-License-Identifier: Apache-2.0
// Each form of rule, from assembly that has it.
#include <elf.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>

#include "tests/unit/unwind/check_rules.hpp"
#include "tests/unit/unwind/sample_table.hpp"

using namespace callscope;
using test::cfa_rule;
using test::SampleTable;
using test::text;

namespace {

constexpr int kRbpSaved = 1 << CS_SAVED_RBP;

SampleTable sample() { return SampleTable::of(test::file_bytes(CALLSCOPE_UNWIND_SAMPLE)); }

cs_unwind_invalid reason(const cs_unwind_rule& rule) {
  CHECK(rule.kind == CS_UNWIND_INVALID);
  return static_cast<cs_unwind_invalid>(rule.offset);
}

}  // namespace

TEST_CASE("a frame with rbp: the rule follows the prologue and the epilogue", "[unit]") {
  const SampleTable file = sample();
  CHECK(text(file.rule("plain_frame")) == text(cfa_rule(7, 8)));
  CHECK(text(file.rule("plain_frame", 1)) == text(cfa_rule(7, 16, kRbpSaved, -2)));
  CHECK(text(file.rule("plain_frame", 4)) == text(cfa_rule(6, 16, kRbpSaved, -2)));
  CHECK(text(file.rule("plain_frame", 8)) == text(cfa_rule(7, 8, kRbpSaved, -2)));
}

TEST_CASE("code that aligns its stack: CFA in r10, then in memory; rbp saved beside rbp",
          "[unit]") {
  const SampleTable file = sample();
  CHECK(text(file.rule("aligned_frame", 5)) == text(cfa_rule(10, 0)));
  const int by_rbp = kRbpSaved | CS_UNWIND_SAVED_BY_RBP;
  CHECK(text(file.rule("aligned_frame", 17)) == text(cfa_rule(10, 0, by_rbp, 0)));
  cs_unwind_rule deref = cfa_rule(6, -8, by_rbp, 0);
  deref.kind = CS_UNWIND_CFA_DEREF;
  CHECK(text(file.rule("aligned_frame", 19)) == text(deref));
}

TEST_CASE("code that aligned its stack: the caller's rbp is not looked for beside itself",
          "[unit]") {
  const SampleTable file = sample();
  const int by_rbp = kRbpSaved | CS_UNWIND_SAVED_BY_RBP;
  CHECK(text(file.rule("aligned_frame", 22)) == text(cfa_rule(10, 0, by_rbp, 0)));
  CHECK(text(file.rule("aligned_frame", 23)) == text(cfa_rule(10, 0)));
  CHECK(text(file.rule("aligned_frame", 26)) == text(cfa_rule(10, 0)));
  CHECK(text(file.rule("aligned_frame", 27)) == text(cfa_rule(7, 8)));
}

TEST_CASE("a CFA in memory plus a constant, as in OpenSSL", "[unit]") {
  cs_unwind_rule expected = cfa_rule(7, 152, kRbpSaved, -2);
  expected.kind = CS_UNWIND_CFA_DEREF;
  expected.add = 8;
  CHECK(text(sample().rule("stack_kept_on_stack")) == text(expected));
}

TEST_CASE("return addresses in a register, undefined, and in a signal frame", "[unit]") {
  const SampleTable file = sample();
  cs_unwind_rule in_rdi = cfa_rule(7, 0);
  in_rdi.ra = 5;
  CHECK(text(file.rule("return_in_register", 1)) == text(in_rdi));
  cs_unwind_rule end{};
  end.kind = CS_UNWIND_END;
  CHECK(text(file.rule("outermost")) == text(end));
  cs_unwind_rule signal{};
  signal.kind = CS_UNWIND_SIGNAL;
  signal.reg = 7;
  signal.offset = 16;
  CHECK(text(file.rule("signal_return")) == text(signal));
}

TEST_CASE("lazy jump stubs get the rule of the linker's expression", "[unit]") {
  const SampleTable file = SampleTable::of(test::file_bytes("/proc/self/exe"));
  const auto is_plt = [](const cs_unwind_rule& rule) { return rule.kind == CS_UNWIND_PLT; };
  const auto plt = std::ranges::find_if(file.table.rules, is_plt);
  REQUIRE(plt != file.table.rules.end());
  CHECK((plt->offset == 10 || plt->offset == 11));
  const ElfSection* const section = file.image.section(".plt");
  REQUIRE(section != nullptr);
  const cs_unwind_rule* const rule = find_rule(file.table, section->vaddr + 32);
  REQUIRE(rule != nullptr);
  CHECK(is_plt(*rule));
}

TEST_CASE("what a rule cannot say is invalid, with its reason, and is counted", "[unit]") {
  const SampleTable file = sample();
  CHECK(reason(file.rule("rsp_in_register")) == CS_UNWIND_INVALID_REGISTER_EXPRESSION);
  CHECK(reason(file.rule("rbp_too_far")) == CS_UNWIND_INVALID_RANGE);
  CHECK(reason(file.rule("return_elsewhere")) == CS_UNWIND_INVALID_RETURN_ADDRESS);
  CHECK(reason(file.rule("cfa_by_multiplication")) == CS_UNWIND_INVALID_CFA_EXPRESSION);
  CHECK(file.table.invalid_rows[CS_UNWIND_INVALID_REGISTER_EXPRESSION] == 1);
  CHECK(file.table.invalid_rows[CS_UNWIND_INVALID_RANGE] == 1);
  CHECK(file.table.invalid_rows[CS_UNWIND_INVALID_RETURN_ADDRESS] == 1);
  CHECK(file.table.invalid_rows[CS_UNWIND_INVALID_CFA_EXPRESSION] == 1);
  CHECK(file.table.invalid_rows[CS_UNWIND_INVALID_PROGRAM] == 0);
}

TEST_CASE("code without frame information has no table; filling keeps the rule before it",
          "[unit]") {
  const SampleTable file = sample();
  CHECK(file.rule("without_table").kind == CS_UNWIND_NO_TABLE);
  CHECK(file.rule("without_table", 2).kind == CS_UNWIND_NO_TABLE);
  CHECK(file.rule("last_function").kind == CS_UNWIND_CFA);
  const std::uint64_t filling = file.addr("aligned_frame") - 1;
  CHECK(find_rule(file.table, filling)->kind == CS_UNWIND_CFA);
  CHECK(find_rule(file.table, 0x7fff00000000) == nullptr);
}

TEST_CASE("the other saved registers are recorded only where a call needs one for its CFA",
          "[unit]") {
  const SampleTable without = sample();
  CHECK(text(without.rule("saves_registers", 4)) == text(cfa_rule(7, 24)));
  const SampleTable with = SampleTable::of(test::file_bytes(CALLSCOPE_UNWIND_SAMPLE_CALLS));
  cs_unwind_rule in_rbx = cfa_rule(3, 16);
  in_rbx.saved = 1 << CS_SAVED_RBX;
  in_rbx.saved_at[CS_SAVED_RBX] = -2;
  CHECK(text(with.rule("cfa_in_rbx", 4)) == text(in_rbx));
  cs_unwind_rule saves = cfa_rule(7, 24);
  saves.saved = 1 << CS_SAVED_R12 | 1 << CS_SAVED_R15;
  saves.saved_at[CS_SAVED_R12] = -3;
  saves.saved_at[CS_SAVED_R15] = -2;
  CHECK(text(with.rule("saves_registers", 4)) == text(saves));
}

TEST_CASE("both samples agree with readelf", "[unit]") {
  for (const std::string path : {CALLSCOPE_UNWIND_SAMPLE, CALLSCOPE_UNWIND_SAMPLE_CALLS}) {
    const SampleTable file = SampleTable::of(test::file_bytes(path));
    const test::Agreement agreement = test::compare(file.table, test::read_oracle(path));
    INFO(agreement.first_wrong);
    CHECK(agreement.wrong == 0);
    CHECK(agreement.rows > 20);
  }
}

TEST_CASE("pages: each starts at its first byte, rows rise, no row repeats the one before",
          "[unit]") {
  const SampleTable file = sample();
  const std::uint64_t start = file.addr("long_function");
  REQUIRE(file.table.pages.size() >= 3);
  const cs_unwind_rule carried = cfa_rule(7, 32);
  CHECK(text(*find_rule(file.table, start + 100)) == text(carried));
  CHECK(text(*find_rule(file.table, start + 70000)) == text(carried));
  CHECK(text(*find_rule(file.table, start + 140000)) == text(carried));
  std::size_t rows = 0;
  for (const UnwindPage& page : file.table.pages) {
    CHECK(page.start % CS_UNWIND_PAGE_SIZE == 0);
    CHECK(page.first == rows);
    REQUIRE(page.count >= 1);
    CHECK(file.table.rows[page.first].pc_low == 0);
    for (std::size_t i = 1; i < page.count; ++i) {
      CHECK(file.table.rows[page.first + i - 1].pc_low < file.table.rows[page.first + i].pc_low);
      CHECK(file.table.rows[page.first + i - 1].rule != file.table.rows[page.first + i].rule);
    }
    rows += page.count;
  }
  CHECK(rows == file.table.rows.size());
  CHECK(find_rule(file.table, file.table.pages.front().start)->kind == CS_UNWIND_NO_TABLE);
}

TEST_CASE("a file without section headers has the same table", "[unit]") {
  auto bytes = test::file_bytes(CALLSCOPE_UNWIND_SAMPLE);
  std::fill_n(bytes.begin() + offsetof(Elf64_Ehdr, e_shoff), 8, std::uint8_t{0});
  const SampleTable stripped = SampleTable::of(std::move(bytes));
  const SampleTable whole = sample();
  CHECK(stripped.table.pages == whole.table.pages);
  REQUIRE(stripped.table.rules.size() == whole.table.rules.size());
  for (std::size_t i = 0; i < whole.table.rules.size(); ++i)
    CHECK(text(stripped.table.rules[i]) == text(whole.table.rules[i]));
}

TEST_CASE(".debug_frame is read where .eh_frame says nothing: own, packed, separate", "[unit]") {
  const SampleTable only = SampleTable::of(test::file_bytes(CALLSCOPE_DEBUG_FRAME_SAMPLE));
  const SampleTable packed = SampleTable::of(test::file_bytes(CALLSCOPE_DEBUG_FRAME_PACKED));
  CHECK(text(only.rule("plain_frame", 4)) == text(cfa_rule(6, 16, kRbpSaved, -2)));
  CHECK(text(packed.rule("plain_frame", 4)) == text(cfa_rule(6, 16, kRbpSaved, -2)));
  const test::Agreement agreement =
      test::compare(only.table, test::read_oracle(CALLSCOPE_DEBUG_FRAME_SAMPLE, ".debug_frame"));
  INFO(agreement.first_wrong);
  CHECK(agreement.wrong == 0);
  CHECK(agreement.rows > 20);

  const SampleTable stripped = SampleTable::of(test::file_bytes(CALLSCOPE_DEBUG_FRAME_STRIPPED));
  const std::uint64_t addr = only.addr("plain_frame") + 4;
  CHECK(find_rule(stripped.table, addr)->kind == CS_UNWIND_NO_TABLE);
  const SampleTable joined =
      SampleTable::of(test::file_bytes(CALLSCOPE_DEBUG_FRAME_STRIPPED), &only.image);
  CHECK(text(*find_rule(joined.table, addr)) == text(cfa_rule(6, 16, kRbpSaved, -2)));
}
