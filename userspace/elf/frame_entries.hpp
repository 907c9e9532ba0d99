// SPDX-License-Identifier: Apache-2.0
// Walks the entries of .eh_frame or .debug_frame and says which addresses each FDE covers. Their
// programs are left to libdw. Layout: Linux Standard Base, "Exception Frames"; DWARF 5, 6.4.1. Pure
// functions over untrusted bytes; an entry that cannot be read is left out.
#pragma once

#include <cstdint>
#include <functional>

#include "elf/bytes.hpp"

namespace callscope {

struct FrameEntries {
  ByteSpan bytes;           // from the first entry on
  std::uint64_t vaddr = 0;  // of the first byte; .debug_frame: unused
  bool is_eh_frame = true;
  bool ends_at_zero = false;  // bytes may reach beyond the table, which a zero length ends
};

// visit(start, end, bytes of the entry) for each FDE with code, in the order of the table.
void for_each_frame_entry(
    const FrameEntries& entries,
    const std::function<void(std::uint64_t, std::uint64_t, std::uint64_t)>& visit);

}  // namespace callscope
