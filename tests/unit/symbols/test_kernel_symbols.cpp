// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>

#include "symbols/kernel_symbols.hpp"
#include "sys/read_file.hpp"
#include "tests/unit/elf/oracle.hpp"

using callscope::KernelSymbols;
using callscope::read_file;
using callscope::test::lines_of;
using callscope::test::words_of;

TEST_CASE("kernel functions are found by any address in them, modules are kept", "[unit]") {
  const auto symbols = KernelSymbols::parse(
      "0000000000000000 A fixed_percpu_data\n"
      "ffffffff81000000 T _text\n"
      "ffffffff81000100 t local_function\n"
      "ffffffff81000200 D some_data\n"
      "ffffffff81000300 W weak_function\n"
      "ffffffff81000400 T _etext\n"
      "not a line at all\n"
      "ffffffffc0201000 t nft_helper\t[nf_tables]\n"
      "ffffffffc0101000 t other\t[x_tables]\n"
      "ffffffffc0202000 t cut");
  CHECK(symbols.size() == 7);
  CHECK_FALSE(symbols.hidden());
  const auto found = symbols.find(0xffffffff81000250);
  REQUIRE(found);
  CHECK(found->name == "local_function");
  CHECK(found->sym_off == 0x150);
  CHECK(found->module.empty());
  CHECK(symbols.find(0xffffffff810003ff)->name == "weak_function");
  CHECK_FALSE(symbols.find(0xffffffff81000400));
  CHECK_FALSE(symbols.find(0xffffffff80ffffff));
  CHECK_FALSE(symbols.find(0));
  CHECK(symbols.find(0xffffffffc0201008)->module == "nf_tables");
  CHECK(symbols.find(0xffffffffc0101fff)->name == "other");
  CHECK(symbols.find(0xffffffffc0101fff)->module == "x_tables");
  CHECK(symbols.find(0xffffffffc0202000)->name == "cut");
  CHECK_FALSE(symbols.find(~std::uint64_t{0}));
}

TEST_CASE("addresses hidden by kptr_restrict are told apart from an empty file", "[unit]") {
  const auto hidden = KernelSymbols::parse("0000000000000000 T _text\n0000000000000000 t f\n");
  CHECK(hidden.hidden());
  CHECK(hidden.size() == 0);
  CHECK_FALSE(hidden.find(0xffffffff81000000));
  CHECK_FALSE(KernelSymbols::parse("").hidden());
}

TEST_CASE("no prefix of kallsyms breaks the parser", "[unit]") {
  const std::string text = "ffffffff81000000 T one\nffffffffc0201000 t two\t[mod]\n";
  for (std::size_t size = 0; size <= text.size(); ++size)
    CHECK(KernelSymbols::parse(std::string_view(text).substr(0, size)).size() <= 2);
}

TEST_CASE("every function of this kernel is found where /proc/kallsyms has it", "[unit]") {
  const auto text = read_file("/proc/kallsyms");
  REQUIRE(text);
  const auto symbols = KernelSymbols::parse(*text);
  std::size_t wrong = 0;
  std::uint64_t before = 0;
  std::size_t checked = 0;
  for (const std::string& line : lines_of(*text)) {
    const auto words = words_of(line);
    const std::uint64_t addr = std::stoull(words[0], nullptr, 16);
    if (std::string_view("tTwW").find(words[1][0]) == std::string_view::npos || addr == 0) continue;
    if (addr == before || words[2] == "_etext" || words[2] == "_einittext") continue;
    before = addr;
    ++checked;
    const auto found = symbols.find(addr);
    const std::string module = words.size() > 3 ? words[3].substr(1, words[3].size() - 2) : "";
    if (!found || found->sym_off != 0 || found->name != words[2] || found->module != module)
      ++wrong;
  }
  CHECK((symbols.hidden() || checked > 1000));
  CHECK(wrong == 0);
}
