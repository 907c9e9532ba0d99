// SPDX-License-Identifier: Apache-2.0
// What .eh_frame says about a module's code: the contiguous pieces that it consists of (one FDE
// each, also in stripped files), and at each instruction where the caller's frame is. Pieces are
// read here, frame rules by libdw. A view: the image's bytes must outlive it. One thread at a time,
// as libdw remembers what it read. A file without the table, or with a damaged one, has no pieces
// and no rules.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "elf/elf_image.hpp"

struct Dwarf_CFI_s;
struct Elf;

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
  struct Piece {
    std::uint64_t start = 0;  // ELF virtual addresses
    std::uint64_t end = 0;    // exclusive

    bool operator==(const Piece&) const = default;
  };

  explicit FrameTable(const ElfImage& image);
  FrameTable(FrameTable&&) noexcept;
  FrameTable& operator=(FrameTable&&) noexcept;
  ~FrameTable();

  // By address, none overlaps another.
  [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }
  // The piece that covers the address.
  [[nodiscard]] std::optional<Piece> piece_at(std::uint64_t addr) const;
  // The rule in force before the instruction at the address is executed.
  [[nodiscard]] CfaRule cfa_at(std::uint64_t addr) const;

 private:
  struct ElfEnd {
    void operator()(Elf* elf) const;
  };
  struct CfiEnd {
    void operator()(Dwarf_CFI_s* cfi) const;
  };

  std::vector<Piece> pieces_;
  std::unique_ptr<Elf, ElfEnd> elf_;
  std::unique_ptr<Dwarf_CFI_s, CfiEnd> cfi_;  // reads elf_: ends first
};

}  // namespace callscope
