// SPDX-License-Identifier: Apache-2.0
// Builds an UnwindTable from rules in the order of their addresses: merges equal neighbours, gives
// each page a first row and keeps each rule once. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "unwind/unwind_table.hpp"

namespace callscope {

class TableBuilder {
 public:
  // Starts a range of executable code; ranges come in order and do not overlap. No rule is in
  // force.
  void begin_range(std::uint64_t start);
  // From addr on, inside of the range; not below the addr before.
  void set(std::uint64_t addr, const cs_unwind_rule& rule);
  void end_range(std::uint64_t end);

  UnwindTable finish() &&;

 private:
  using RuleKey = std::array<std::uint64_t, 3>;
  struct RuleHash {
    std::size_t operator()(const RuleKey& key) const;
  };
  std::uint16_t index_of(const cs_unwind_rule& rule);
  void open_page(std::uint64_t start, std::uint16_t first_rule);
  void open_pages_to(std::uint64_t addr);

  UnwindTable table_;
  std::unordered_map<RuleKey, std::uint16_t, RuleHash> index_;
};

// The rule in force at an ELF virtual address; nullptr where the table has no page.
const cs_unwind_rule* find_rule(const UnwindTable& table, std::uint64_t addr);

}  // namespace callscope
