// SPDX-License-Identifier: Apache-2.0
// The binary search table of .eh_frame_hdr and the FDEs that it points to are laid out as in the
// Linux Standard Base, "Exception Frames". Only the encodings that GNU ld, gold, lld and mold write
// for x86-64 are read.
#include "elf/frame_table.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>

#include <algorithm>
#include <cstdlib>

namespace callscope {
namespace {

constexpr std::uint8_t kRelativeWord = DW_EH_PE_pcrel | DW_EH_PE_sdata4;
constexpr int kDwarfRbp = 6;
constexpr int kDwarfRsp = 7;

std::uint64_t skip_leb128(ByteSpan bytes, std::uint64_t pos) {
  while (pos < bytes.size() && (bytes[pos] & 0x80) != 0) ++pos;
  return pos + 1;
}

// How the FDEs of a CIE encode their addresses; DW_EH_PE_omit when it cannot be told.
std::uint8_t address_encoding(ByteSpan cie) {
  constexpr std::uint64_t kVersionPos = 8;  // behind length and id
  const auto version = load<std::uint8_t>(cie, kVersionPos);
  if (version != 1) return DW_EH_PE_omit;
  const std::string_view augmentation = string_at(cie, kVersionPos + 1);
  if (!augmentation.starts_with('z')) return DW_EH_PE_omit;
  std::uint64_t pos = kVersionPos + 1 + augmentation.size() + 1;
  pos = skip_leb128(cie, pos);      // code alignment
  pos = skip_leb128(cie, pos) + 1;  // data alignment; return address register
  pos = skip_leb128(cie, pos);      // length of the augmentation data
  for (const char mark : augmentation.substr(1)) {
    const auto encoding = load<std::uint8_t>(cie, pos);
    if (!encoding) break;
    if (mark == 'R') return *encoding;
    if (mark == 'L') ++pos;
    if (mark == 'P') {
      const bool wide = (*encoding & 0x07) == DW_EH_PE_udata8 || (*encoding & 0x0f) == 0;
      pos += wide ? 9 : 5;
    }
  }
  return DW_EH_PE_omit;
}

// The piece of the FDE at fde_vaddr; empty if it is not encoded as expected.
FrameTable::Piece piece_of(const ElfImage& image, std::uint64_t fde_vaddr) {
  constexpr std::uint64_t kHeadBytes = 16;
  const ByteSpan fde = image.bytes_at(fde_vaddr, kHeadBytes);
  const auto length = load<std::uint32_t>(fde, 0);
  const auto cie_distance = load<std::uint32_t>(fde, 4);
  const auto start = load<std::int32_t>(fde, 8);
  const auto size = load<std::uint32_t>(fde, 12);
  if (!size || *length == 0 || *length == 0xffffffff || *cie_distance == 0) return {};
  constexpr std::uint64_t kMaxCieBytes = 256;  // what is read of one; they are some 20 bytes
  const ByteSpan cie = image.bytes_at(fde_vaddr + 4 - *cie_distance, kMaxCieBytes);
  if (address_encoding(cie) != kRelativeWord) return {};
  const std::uint64_t addr = fde_vaddr + 8 + static_cast<std::uint64_t>(std::int64_t{*start});
  return {addr, addr + *size};
}

std::vector<FrameTable::Piece> read_pieces(const ElfImage& image) {
  constexpr std::uint8_t kTableEncoding = DW_EH_PE_datarel | DW_EH_PE_sdata4;
  constexpr std::uint64_t kEntriesPos = 12;
  std::vector<FrameTable::Piece> pieces;
  const auto header =
      std::ranges::find(image.segments(), std::uint32_t{PT_GNU_EH_FRAME}, &ElfSegment::type);
  if (header == image.segments().end()) return pieces;
  const ByteSpan table = image.segment_bytes(*header);
  const auto count = load<std::uint32_t>(table, 8);
  if (!count || table[0] != 1 || table[1] != kRelativeWord || table[2] != DW_EH_PE_udata4 ||
      table[3] != kTableEncoding)
    return pieces;
  pieces.reserve(std::min<std::uint64_t>(*count, table.size() / 8));
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto fde = load<std::int32_t>(table, kEntriesPos + 8 * i + 4);
    if (!fde) break;
    const FrameTable::Piece piece =
        piece_of(image, header->vaddr + static_cast<std::uint64_t>(std::int64_t{*fde}));
    if (piece.end <= piece.start) continue;
    if (pieces.empty() || piece.start >= pieces.back().end) pieces.push_back(piece);
  }
  return pieces;
}

}  // namespace

void FrameTable::ElfEnd::operator()(Elf* elf) const { ::elf_end(elf); }
void FrameTable::CfiEnd::operator()(Dwarf_CFI_s* cfi) const { ::dwarf_cfi_end(cfi); }

FrameTable::FrameTable(const ElfImage& image) : pieces_(read_pieces(image)) {
  if (pieces_.empty() || ::elf_version(EV_CURRENT) == EV_NONE) return;
  // libelf wants writable memory but only reads it.
  const auto* const bytes = reinterpret_cast<const char*>(image.bytes().data());
  elf_.reset(::elf_memory(const_cast<char*>(bytes), image.bytes().size()));
  if (elf_) cfi_.reset(::dwarf_getcfi_elf(elf_.get()));
}

FrameTable::FrameTable(FrameTable&&) noexcept = default;
FrameTable& FrameTable::operator=(FrameTable&&) noexcept = default;
FrameTable::~FrameTable() = default;

std::optional<FrameTable::Piece> FrameTable::piece_at(std::uint64_t addr) const {
  const auto next = std::ranges::upper_bound(pieces_, addr, {}, &Piece::start);
  if (next == pieces_.begin() || addr >= std::prev(next)->end) return std::nullopt;
  return *std::prev(next);
}

CfaRule FrameTable::cfa_at(std::uint64_t addr) const {
  if (!cfi_ || !piece_at(addr)) return {};
  struct FrameEnd {
    void operator()(Dwarf_Frame* frame) const { std::free(frame); }
  };
  Dwarf_Frame* raw = nullptr;
  if (::dwarf_cfi_addrframe(cfi_.get(), addr, &raw) != 0) return {};
  const std::unique_ptr<Dwarf_Frame, FrameEnd> frame(raw);
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  if (::dwarf_frame_cfa(frame.get(), &ops, &count) != 0) return {};
  const bool plain = count == 1 && ops[0].atom == DW_OP_bregx;
  if (!plain || (ops[0].number != kDwarfRsp && ops[0].number != kDwarfRbp))
    return {CfaRule::Base::kOther, 0};
  return {ops[0].number == kDwarfRsp ? CfaRule::Base::kRsp : CfaRule::Base::kRbp,
          static_cast<std::int64_t>(ops[0].number2)};
}

}  // namespace callscope
