// SPDX-License-Identifier: Apache-2.0
// A file of unwind_sample.S with its table, and rules by the name of the function. For tests only.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "elf/elf_image.hpp"
#include "sys/mapped_file.hpp"
#include "unwind/compile_table.hpp"
#include "unwind/table_builder.hpp"

namespace callscope::test {

inline std::vector<std::uint8_t> file_bytes(const std::string& path) {
  const auto file = MappedFile::open(path);
  REQUIRE(file);
  return {file->bytes().begin(), file->bytes().end()};
}

struct SampleTable {
  std::vector<std::uint8_t> bytes;
  ElfImage image;
  UnwindTable table;

  static SampleTable of(std::vector<std::uint8_t> bytes, const ElfImage* debug = nullptr) {
    auto image = ElfImage::parse(bytes);  // a view of the heap, which moves along
    REQUIRE(image);
    auto compiled = compile_unwind_table(*image, debug);
    REQUIRE(compiled);
    return {std::move(bytes), std::move(*image), std::move(*compiled)};
  }

  [[nodiscard]] std::uint64_t addr(std::string_view name) const {
    std::uint64_t found = 0;
    image.for_each_symbol([&](const ElfSymbol& symbol) {
      if (symbol.name == name) found = symbol.value;
    });
    INFO(name);
    REQUIRE(found != 0);
    return found;
  }
  // The rule at an offset in bytes from the start of the function.
  [[nodiscard]] cs_unwind_rule rule(std::string_view name, std::uint64_t bytes_in = 0) const {
    const cs_unwind_rule* const rule = find_rule(table, addr(name) + bytes_in);
    REQUIRE(rule != nullptr);
    return *rule;
  }
};

inline std::string text(const cs_unwind_rule& rule) {
  std::string out = "kind " + std::to_string(rule.kind) + " reg " + std::to_string(rule.reg) +
                    " offset " + std::to_string(rule.offset) + " add " + std::to_string(rule.add) +
                    " ra " + std::to_string(rule.ra) + " saved " + std::to_string(rule.saved);
  for (const int at : rule.saved_at) out += " " + std::to_string(at);
  return out;
}

// Where nothing but rbp is recorded. saved: CS_UNWIND_... flags and bits besides RBP_ONLY.
inline cs_unwind_rule cfa_rule(int reg, int offset, int saved = 0, int rbp_words = 0) {
  cs_unwind_rule rule{};
  rule.kind = CS_UNWIND_CFA;
  rule.reg = static_cast<std::uint8_t>(reg);
  rule.offset = offset;
  rule.ra = CS_UNWIND_RA_AT_CFA;
  rule.saved = static_cast<std::uint8_t>(saved | CS_UNWIND_RBP_ONLY);
  rule.saved_at[CS_SAVED_RBP] = static_cast<std::int16_t>(rbp_words);
  return rule;
}

}  // namespace callscope::test
