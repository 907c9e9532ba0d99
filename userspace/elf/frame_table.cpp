// SPDX-License-Identifier: Apache-2.0
#include "elf/frame_table.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <algorithm>

namespace callscope {
namespace {

constexpr int kDwarfRbp = 6;
constexpr int kDwarfRsp = 7;

}  // namespace

std::optional<FrameTable::Piece> FrameTable::piece_at(std::uint64_t addr) const {
  const auto next = std::ranges::upper_bound(pieces(), addr, {}, &Piece::start);
  if (next == pieces().begin() || addr >= std::prev(next)->end) return std::nullopt;
  return *std::prev(next);
}

CfaRule FrameTable::cfa_at(std::uint64_t addr) const {
  if (!piece_at(addr)) return {};
  const FrameSection::Frame frame = section_.frame_at(addr);
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  if (!frame || ::dwarf_frame_cfa(frame.get(), &ops, &count) != 0) return {};
  const bool plain = count == 1 && ops[0].atom == DW_OP_bregx;
  if (!plain || (ops[0].number != kDwarfRsp && ops[0].number != kDwarfRbp))
    return {CfaRule::Base::kOther, 0};
  return {ops[0].number == kDwarfRsp ? CfaRule::Base::kRsp : CfaRule::Base::kRbp,
          static_cast<std::int64_t>(ops[0].number2)};
}

}  // namespace callscope
