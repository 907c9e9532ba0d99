// SPDX-License-Identifier: Apache-2.0
// What lies at code addresses by DWARF: file, line, and which functions were inlined there (DWARF 5
// standard, 3.3.8 inlined subroutines, 6.2 line number information). Reads only the units, and in
// them only the functions, that hold an address that was asked for. Bytes are untrusted; damage
// gives fewer answers, never a failure. No state, thread-safe for different files.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "symbols/dwarf_file.hpp"

namespace callscope {

struct SourceFrame {
  std::string function;    // linker name; where DWARF has none the name in the source, with its
                           // namespaces; empty: not known
  std::string file;        // as the compiler was told, made absolute by its folder; empty: unknown
  std::uint32_t line = 0;  // 0: not known
};

// Innermost first: functions inlined at the address, then the one whose code it is. The innermost
// has the line of the instruction, each other one that of the call inside it.
using SourceFrames = std::vector<SourceFrame>;
using SourceFramesHandler = std::function<void(std::uint64_t vaddr, const SourceFrames& frames)>;

// False: the deadline (CLOCK_MONOTONIC) came first. Calls found once for each address that
// DWARF knows something about; addrs are ELF virtual addresses, ascending, each once. An address
// that follows a call is asked for as the address before it.
bool find_source_frames(const DwarfFile& file, std::span<const std::uint64_t> addrs,
                        std::uint64_t deadline_ns, const SourceFramesHandler& found);

}  // namespace callscope
