// SPDX-License-Identifier: Apache-2.0
// Which addresses of a module's code may be reached from other pieces of code (a piece is what one
// FDE of .eh_frame covers), found without decoding it: every byte sequence that would be a jump,
// call or address load with a 32-bit distance counts, whether it is an instruction or not, and so
// does every address in data and relocations. The set holds all targets of such kinds, and a few
// that are none; it is asked only for what must not be a target. What stays within one piece is
// left to those who decode it. Immutable, thread-safe. Cost: one pass over the file, 2 bits of
// memory a byte of code.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "elf/elf_image.hpp"
#include "elf/frame_table.hpp"

namespace callscope {

class JumpTargets {
 public:
  // A jump from one piece of code into another.
  struct Crossing {
    std::uint64_t target = 0;
    std::uint64_t source = 0;
  };

  JumpTargets(const ElfImage& image, const FrameTable& frames);

  // Whether any address in [first, last] may be reached by a jump, call or pointer.
  [[nodiscard]] bool any_in(std::uint64_t first, std::uint64_t last) const;
  // Whether one may be reached by a call or a pointer.
  [[nodiscard]] bool any_named_in(std::uint64_t first, std::uint64_t last) const;
  // Jumps (no calls) from other pieces to addresses in [start, end), by target.
  [[nodiscard]] std::span<const Crossing> into(std::uint64_t start, std::uint64_t end) const;

 private:
  // A set of addresses of code, one bit each.
  class Addresses {
   public:
    void resize(std::uint64_t base, std::uint64_t end);
    [[nodiscard]] bool covers(std::uint64_t addr) const {
      return (addr - base_) / 64 < bits_.size();
    }
    void add(std::uint64_t addr) {
      if (covers(addr)) bits_[(addr - base_) / 64] |= std::uint64_t{1} << (addr - base_) % 64;
    }
    // What lies outside counts as a member.
    [[nodiscard]] bool any_in(std::uint64_t first, std::uint64_t last) const;

   private:
    std::uint64_t base_ = 0;  // address of bit 0
    std::vector<std::uint64_t> bits_;
  };

  void scan(const FrameTable& frames, std::uint64_t vaddr, ByteSpan code);
  void add_absolute(const ElfImage& image);
  void add_relocated(const ElfImage& image);
  void add_relr(const ElfImage& image, ByteSpan content);
  void add_words(ByteSpan data);

  Addresses jumped_;  // by jumps
  Addresses named_;   // by calls, and where addresses are taken
  std::vector<Crossing> crossings_;
};

}  // namespace callscope
