// SPDX-License-Identifier: Apache-2.0
#include "collect/function_registry.hpp"

namespace callscope {

std::optional<std::uint32_t> FunctionRegistry::find(std::uint32_t module,
                                                    std::uint64_t addr) const {
  const auto known = id_of_.find({module, addr});
  if (known == id_of_.end()) return std::nullopt;
  return known->second;
}

std::optional<std::uint32_t> FunctionRegistry::add(FunctionStats function) {
  if (const auto known = find(function.module, function.addr)) return known;
  if (size() >= capacity_) return std::nullopt;
  const std::uint32_t id = size();
  id_of_[{function.module, function.addr}] = id;
  row_of_.emplace_back(static_cast<std::uint32_t>(rows_.size()));
  rows_.push_back(std::move(function));
  return id;
}

std::optional<std::uint32_t> FunctionRegistry::add_tail_callee(std::uint32_t module,
                                                               std::uint64_t addr,
                                                               bool emulated_exits) {
  const auto known = tail_callee_at_.find({module, addr});
  if (known != tail_callee_at_.end()) return known->second;
  if (size() >= capacity_) return std::nullopt;
  const std::uint32_t id = size();
  row_of_.emplace_back();
  tail_callee_at_[{module, addr}] = id;
  tail_callees_[id] = emulated_exits;
  return id;
}

std::optional<bool> FunctionRegistry::tail_callee(std::uint32_t id) const {
  const auto known = tail_callees_.find(id);
  if (known == tail_callees_.end()) return std::nullopt;
  return known->second;
}

void FunctionRegistry::drop_row(std::uint32_t id) {
  const auto gone = row(id);
  if (!gone) return;
  rows_.erase(rows_.begin() + *gone);
  for (auto& row : row_of_)
    if (row && *row > *gone) --*row;
  row_of_[id].reset();
}

std::optional<std::uint32_t> FunctionRegistry::row(std::uint32_t id) const {
  if (id >= row_of_.size()) return std::nullopt;
  return row_of_[id];
}

FunctionStats* FunctionRegistry::stats(std::uint32_t id) const {
  const auto index = row(id);
  return index ? &rows_[*index] : nullptr;
}

}  // namespace callscope
