// SPDX-License-Identifier: Apache-2.0
// Gives every probed function one number, its id in the calls BPF object, whichever processes it is
// probed in, and one row in Recording::functions. The rows' owner must outlive it. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "callscope/recording.hpp"

namespace callscope {

class FunctionRegistry {
 public:
  explicit FunctionRegistry(std::vector<FunctionStats>& rows) : rows_(rows) {}

  // No function gets an id from here on; unlimited before.
  void set_capacity(std::uint32_t capacity) { capacity_ = capacity; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(row_of_.size()); }

  // By module (index into Recording::modules) and ELF address.
  [[nodiscard]] std::optional<std::uint32_t> find(std::uint32_t module, std::uint64_t addr) const;
  // The id of a function, new or known; nothing when the capacity is used up.
  std::optional<std::uint32_t> add(FunctionStats function);
  // Takes the row of a function away that could not be probed after all; its id stays used. Rows
  // behind it move up.
  void drop_row(std::uint32_t id);

  // Index into Recording::functions; nothing for a dropped one.
  [[nodiscard]] std::optional<std::uint32_t> row(std::uint32_t id) const;
  // nullptr for a dropped one. Valid until the next add() or drop_row().
  [[nodiscard]] FunctionStats* stats(std::uint32_t id) const;

 private:
  std::vector<FunctionStats>& rows_;
  std::uint32_t capacity_ = UINT32_MAX;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint32_t> id_of_;
  std::vector<std::optional<std::uint32_t>> row_of_;
};

}  // namespace callscope
