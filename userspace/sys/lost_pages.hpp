// SPDX-License-Identifier: Apache-2.0
// Survives that a mapped file is cut short by others: reading what is gone raises SIGBUS, whose
// handler puts zeroes there, which parsers refuse. Of guarded memory only; elsewhere the signal
// ends the process as ever. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

namespace callscope {

// Installs the handler with the first one. Does nothing beyond a few thousand guards at a time.
void guard_pages(const void* data, std::size_t size);
// Before the memory is unmapped.
void unguard_pages(const void* data);

// Pages of files that were gone when they were read, so far.
std::uint64_t lost_pages();

}  // namespace callscope
