// SPDX-License-Identifier: Apache-2.0
// The page size of x86-64.
#pragma once

#include <cstdint>

namespace callscope {

constexpr std::uint64_t kPageBytes = 4096;

}  // namespace callscope
