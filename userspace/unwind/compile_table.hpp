// SPDX-License-Identifier: Apache-2.0
// Compiles the call frame information of a module into the table that the BPF walker reads:
// .eh_frame, and .debug_frame where that does not reach. The bytes are untrusted: work and memory
// are bounded by the size of the file. Thread-safe for different images.
#pragma once

#include <cstdint>
#include <vector>

#include "elf/elf_image.hpp"
#include "unwind/unwind_table.hpp"

namespace callscope {

struct AddressRange {
  std::uint64_t start = 0;  // ELF virtual addresses
  std::uint64_t end = 0;    // exclusive
};

// Where code of the file is, by address, none overlaps another. kCorrupt: they do, or are larger
// than the file.
Result<std::vector<AddressRange>> executable_ranges(const ElfImage& image);

// debug: the separate debug file, or nullptr. A damaged frame table gives NO_TABLE and INVALID
// rows, not an error. kUnsupported: not x86-64. kCorrupt: as executable_ranges().
Result<UnwindTable> compile_unwind_table(const ElfImage& image, const ElfImage* debug = nullptr);

}  // namespace callscope
