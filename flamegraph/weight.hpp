// SPDX-License-Identifier: Apache-2.0
// Weights and shares as people read them. Pure functions, independent of the locale.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace callscope {

// "1,234 samples"; unit "ns", "us", "ms" or "s": a time such as "12.3 ms"; unit "bytes": "1.21
// MiB". Times and sizes have three significant digits.
std::string format_weight(std::uint64_t weight, std::string_view unit);

// part of whole: "12.34 %"; "0 %" if whole is 0; "< 0.01 %" for a tiny part.
std::string format_share(std::uint64_t part, std::uint64_t whole);

// "1,234,567"
std::string format_count(std::uint64_t count);

}  // namespace callscope
