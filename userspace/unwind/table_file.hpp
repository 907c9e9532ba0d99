// SPDX-License-Identifier: Apache-2.0
// An UnwindTable as the bytes of a cache file: a header with format version and checksum, then the
// arrays as they are in memory, so that reading is one copy. Written and read on one machine:
// little endian, no compression. Pure.
#pragma once

#include <optional>
#include <vector>

#include "elf/bytes.hpp"
#include "unwind/unwind_table.hpp"

namespace callscope {

std::vector<std::uint8_t> write_table(const UnwindTable& table);

// nullopt: another version, damaged, or no table that holds together.
std::optional<UnwindTable> read_table(ByteSpan bytes);

}  // namespace callscope
