// SPDX-License-Identifier: Apache-2.0
// Reads the memory of another process. The process may be running, so what is read is of no one
// moment, or gone. Thread-safe.
#pragma once

#include <cstdint>
#include <vector>

namespace callscope {

// Empty unless all bytes could be read.
std::vector<std::uint8_t> read_process_memory(std::int32_t pid, std::uint64_t addr,
                                              std::size_t bytes);

}  // namespace callscope
