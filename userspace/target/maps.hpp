// SPDX-License-Identifier: Apache-2.0
// The memory map of a process: one Mapping per line of /proc/PID/maps. Parsing is bounds-checked
// and never trusts the text. Plain values, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "callscope/error.hpp"

namespace callscope {

struct Mapping {
  std::uint64_t start = 0;  // virtual address, inclusive
  std::uint64_t end = 0;    // exclusive
  std::uint64_t file_off = 0;
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  std::uint64_t inode = 0;  // 0: not backed by a file
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool deleted = false;  // the kernel's " (deleted)" was there; path has it removed
  std::string path;      // as the target sees it; "[vdso]", "[heap]" or empty for anonymous memory
};

// All lines of text; kCorrupt on the first line that is not a mapping.
Result<std::vector<Mapping>> parse_maps(std::string_view text);

// Mappings of a live process. kNotFound when it is gone, kNotPermitted without CAP_SYS_PTRACE.
Result<std::vector<Mapping>> read_maps(std::int32_t pid);

// "/proc/PID/map_files/START-END": opens the very file that is mapped, deleted or in a container.
std::string map_file_path(std::int32_t pid, const Mapping& mapping);

}  // namespace callscope
