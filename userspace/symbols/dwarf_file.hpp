// SPDX-License-Identifier: Apache-2.0
// The DWARF of one ELF file, opened by libdw from bytes that the caller owns and keeps alive as
// long as the object. libdw is never given a path nor let look for files of its own: the bytes come
// from a target, which could name a FIFO that blocks us. Used by one thread at a time. Opening
// fails without debug information, or when that is damaged, too large or in another file.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "callscope/error.hpp"
#include "elf/elf_image.hpp"

struct Dwarf;
struct Elf;

namespace callscope {

// Compilers nest some tens of inlined calls and blocks; damaged bytes may pretend any depth.
inline constexpr int kMaxDwarfDepth = 256;

inline constexpr std::uint64_t kMaxDebugBytes = 2ULL << 30;  // of a file, unpacked

// Whether the file holds debug information itself, rather than none or a hint to another file.
bool has_dwarf(const ElfImage& image);

class DwarfFile {
 public:
  // shared: the file that .gnu_debugaltlink names (dwz), empty if not at hand. kNotFound: no debug
  // information, or shared is needed. kUnsupported: it has more than max_bytes. kCorrupt.
  static Result<DwarfFile> open(const ElfImage& image, ByteSpan shared = {},
                                std::uint64_t max_bytes = kMaxDebugBytes);

  [[nodiscard]] Dwarf* get() const { return main_.dwarf.get(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // of its debug sections, unpacked
  // Whether an executable section holds the address. Debug information is also there for functions
  // that the linker has thrown away (duplicates of templates); their addresses are none.
  [[nodiscard]] bool is_code(std::uint64_t vaddr) const;

 private:
  struct ElfEnd {
    void operator()(Elf* elf) const;
  };
  struct DwarfEnd {
    void operator()(Dwarf* dwarf) const;
  };
  // Members in the order of need: destroyed from the last to the first.
  struct Opened {
    std::vector<std::uint8_t> copy;  // what elf reads, if it must be writable
    std::unique_ptr<Elf, ElfEnd> elf;
    std::unique_ptr<Dwarf, DwarfEnd> dwarf;
  };
  static Result<Opened> begin(ByteSpan bytes);

  Opened shared_;
  Opened main_;
  std::uint64_t bytes_ = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> code_;  // [first, end)
};

}  // namespace callscope
