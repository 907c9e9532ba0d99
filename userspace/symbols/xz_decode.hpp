// SPDX-License-Identifier: Apache-2.0
// Unpacks .xz data from untrusted files into memory, with bounds on output and on working memory.
// Pure function, thread-safe. kCorrupt: damaged, cut short or larger than allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "callscope/error.hpp"
#include "elf/bytes.hpp"

namespace callscope {

Result<std::vector<std::uint8_t>> xz_decode(ByteSpan packed, std::size_t max_bytes);

}  // namespace callscope
