// SPDX-License-Identifier: Apache-2.0
// What .eh_frame says about a module's code: the contiguous pieces that it consists of, and at each
// instruction where the caller's frame is. A view: the image's bytes must outlive it. One thread at
// a time, as FrameSection. A file without the table, or with a damaged one, has no pieces and no
// rules.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "elf/elf_image.hpp"
#include "elf/frame_section.hpp"

namespace callscope {

// The canonical frame address (CFA): the value of rsp before the call, 8 above the return slot.
struct CfaRule {
  enum class Base {
    kNone,   // the table does not cover the address
    kRsp,    // CFA = rsp + offset
    kRbp,    // CFA = rbp + offset
    kOther,  // another register, or an expression
  };
  Base base = Base::kNone;
  std::int64_t offset = 0;  // bytes

  bool operator==(const CfaRule&) const = default;
};

// On x86-64, where a call has just pushed the return address.
constexpr CfaRule kCfaAtEntry{CfaRule::Base::kRsp, 8};

class FrameTable {
 public:
  using Piece = FramePiece;

  explicit FrameTable(const ElfImage& image) : section_(FrameSection::eh_frame(image)) {}

  // By address, none overlaps another.
  [[nodiscard]] const std::vector<Piece>& pieces() const { return section_.pieces(); }
  // The piece that covers the address.
  [[nodiscard]] std::optional<Piece> piece_at(std::uint64_t addr) const;
  // The rule in force before the instruction at the address is executed.
  [[nodiscard]] CfaRule cfa_at(std::uint64_t addr) const;

 private:
  FrameSection section_;
};

}  // namespace callscope
