// SPDX-License-Identifier: Apache-2.0
// Follows rsp and rbp through straight-line code: how far each lies below the return slot, as long
// as that is known for certain. Plain value; nothing fails.
#pragma once

#include <cstdint>
#include <optional>

#include "probes/decoder.hpp"

namespace callscope {

class StackHeight {
 public:
  using Height = std::optional<std::int64_t>;

  // As at a function's first instruction.
  StackHeight() = default;
  StackHeight(Height rsp, Height rbp) : rsp_(rsp), rbp_(rbp) {}

  // The instruction was executed; it must be one that falls through.
  void pass(const Instruction& insn);

  // Bytes from the register up to the return slot; nothing once that is not known for certain.
  [[nodiscard]] Height rsp() const { return rsp_; }
  [[nodiscard]] Height rbp() const { return rbp_; }

 private:
  [[nodiscard]] Height of(std::uint8_t reg) const;
  [[nodiscard]] Height copied(const Instruction& insn) const;
  [[nodiscard]] Height new_rsp(const Instruction& insn) const;

  Height rsp_ = 0;
  Height rbp_;
};

}  // namespace callscope
