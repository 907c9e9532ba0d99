// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them: three significant digits and a unit. Pure functions, independent of
// the locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace callscope {

std::string format_ns(std::uint64_t ns);                 // "900ns", "1.45us", "61.0ms", "5.00s"
std::string format_ns(std::optional<std::uint64_t> ns);  // "-" if absent
std::string format_bytes(double bytes);                  // "512B", "10.0MiB", "-1.25KiB"
std::string format_number(double value);                 // "0", "1.25", "12.5", "1250"
std::string format_percent(double part, double whole);   // "12.3%"; "-" if whole is 0
std::string format_utc(std::uint64_t unix_ns);           // "2025-11-21 05:20:00 UTC"

}  // namespace callscope
