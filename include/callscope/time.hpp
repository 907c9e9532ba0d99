// SPDX-License-Identifier: Apache-2.0
// Times are in nanoseconds throughout.
#pragma once

#include <cstdint>

namespace callscope {

inline constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

}  // namespace callscope
