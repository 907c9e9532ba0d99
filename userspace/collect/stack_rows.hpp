// SPDX-License-Identifier: Apache-2.0
// Which row of a table belongs to a stack that BPF counts. Stacks of other addresses may have the
// same frames, as after a dlclose and dlopen: they share a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "callscope/abi/cpu.h"
#include "collect/stack_key.hpp"

namespace callscope {

class StackRows {
 public:
  [[nodiscard]] std::optional<std::size_t> find(const cs_stack_key& key) const {
    const auto row = rows_.find(key);
    return row == rows_.end() ? std::nullopt : std::optional(row->second);
  }
  // stack: Stack::id. True: a new row, at the end of the table.
  bool add(const cs_stack_key& key, std::uint32_t stack) {
    const auto [row, added] =
        row_of_stack_.try_emplace({stack, key.tgid, key.tid}, row_of_stack_.size());
    rows_[key] = row->second;
    return added;
  }

 private:
  std::unordered_map<cs_stack_key, std::size_t, StackKeyHash, StackKeyEqual> rows_;
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::size_t> row_of_stack_;
};

}  // namespace callscope
