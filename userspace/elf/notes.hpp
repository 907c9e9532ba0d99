// SPDX-License-Identifier: Apache-2.0
// ELF notes: the (owner, type, payload) records of PT_NOTE segments and SHT_NOTE sections, and the
// build-id in them. Source of the format: the System V gABI, chapter "Note Section".
// Pure functions over bytes; views point into them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "elf/bytes.hpp"

namespace callscope {

struct ElfNote {
  std::string_view owner;  // "GNU", "stapsdt", "Go" ...
  std::uint32_t type = 0;
  ByteSpan payload;
};

// Calls visit for each note, until it returns false or the bytes stop making sense.
// align is 8 for segments and sections that say so, else 4.
void for_each_note(ByteSpan bytes, std::uint64_t align,
                   const std::function<bool(const ElfNote&)>& visit);

// Lower-case hex of the payload of the first NT_GNU_BUILD_ID; empty if there is none.
std::string find_build_id(ByteSpan notes, std::uint64_t align);

}  // namespace callscope
