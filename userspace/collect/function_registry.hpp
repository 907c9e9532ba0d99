// SPDX-License-Identifier: Apache-2.0
// Gives every probed function one number, its id in the calls BPF object, whichever processes it is
// probed in, and one row in Recording::functions. Tail callees, which nobody asked for, get a
// number and no row. The rows' owner must outlive it. One thread.
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
  // The same for a function whose exits alone are probed, to end the calls of those that jump to
  // it. find() does not know it.
  std::optional<std::uint32_t> add_tail_callee(std::uint32_t module, std::uint64_t addr,
                                               bool emulated_exits);
  // Whether the exits of a tail callee are emulated; nothing for all other ids.
  [[nodiscard]] std::optional<bool> tail_callee(std::uint32_t id) const;
  // Takes the row of a function away that could not be probed after all; its id stays used. Rows
  // behind it move up.
  void drop_row(std::uint32_t id);

  // Index into Recording::functions; nothing for a dropped one.
  [[nodiscard]] std::optional<std::uint32_t> row(std::uint32_t id) const;
  // nullptr for a dropped one. Valid until the next add() or drop_row().
  [[nodiscard]] FunctionStats* stats(std::uint32_t id) const;

 private:
  using Place = std::pair<std::uint32_t, std::uint64_t>;  // module and address

  std::vector<FunctionStats>& rows_;
  std::uint32_t capacity_ = UINT32_MAX;
  std::map<Place, std::uint32_t> id_of_;
  std::map<Place, std::uint32_t> tail_callee_at_;
  std::map<std::uint32_t, bool> tail_callees_;  // by id: its exits are emulated
  std::vector<std::optional<std::uint32_t>> row_of_;
};

}  // namespace callscope
