// SPDX-License-Identifier: Apache-2.0
// One table of call frame information, .eh_frame or .debug_frame: the contiguous pieces of code
// that it covers (one FDE each, also in stripped files), and libdw's answer for an address in them.
// A view: the image's bytes must outlive it. One thread at a time, as libdw remembers what it read.
// A file without the table, or with a damaged one, has no pieces; a damaged entry has no frame.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "elf/elf_image.hpp"

struct Dwarf;
struct Dwarf_CFI_s;
struct Dwarf_Frame_s;
struct Elf;

namespace callscope {

struct FrameEntries;

struct FramePiece {
  std::uint64_t start = 0;  // ELF virtual addresses
  std::uint64_t end = 0;    // exclusive

  bool operator==(const FramePiece&) const = default;
};

class FrameSection {
 public:
  struct FrameEnd {
    void operator()(Dwarf_Frame_s* frame) const;
  };
  using Frame = std::unique_ptr<Dwarf_Frame_s, FrameEnd>;

  // By its section; in a file without section headers through PT_GNU_EH_FRAME.
  static FrameSection eh_frame(const ElfImage& image);
  // Also compressed (SHF_COMPRESSED, .zdebug_frame); unpacked it may have 256 MiB.
  static FrameSection debug_frame(const ElfImage& image);

  FrameSection() = default;
  FrameSection(FrameSection&&) noexcept;
  FrameSection& operator=(FrameSection&&) noexcept;
  ~FrameSection();

  // By address, none overlaps another.
  [[nodiscard]] const std::vector<FramePiece>& pieces() const { return pieces_; }
  // Size of the entry of each piece: the work of one frame_at() in it.
  [[nodiscard]] const std::vector<std::uint64_t>& entry_bytes() const { return entry_bytes_; }
  // The state in force before the instruction at addr is executed; must not outlive this object.
  [[nodiscard]] Frame frame_at(std::uint64_t addr) const;

 private:
  struct ElfEnd {
    void operator()(Elf* elf) const;
  };
  struct DwarfEnd {
    void operator()(Dwarf* dwarf) const;
  };
  struct CfiEnd {
    void operator()(Dwarf_CFI_s* cfi) const;
  };
  void read_pieces(const FrameEntries& entries);

  std::vector<FramePiece> pieces_;
  std::vector<std::uint64_t> entry_bytes_;  // one a piece
  std::vector<std::uint8_t> copy_;  // of .debug_frame, as an ELF file of its own; elf_ reads it
  std::unique_ptr<Elf, ElfEnd> elf_;
  std::unique_ptr<Dwarf, DwarfEnd> dwarf_;             // reads elf_: ends first
  std::unique_ptr<Dwarf_CFI_s, CfiEnd> eh_frame_cfi_;  // likewise
  Dwarf_CFI_s* cfi_ = nullptr;                         // eh_frame_cfi_, or owned by dwarf_
};

}  // namespace callscope
