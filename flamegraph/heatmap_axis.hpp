// SPDX-License-Identifier: Apache-2.0
// Where the axes of a heat map have their ticks, and what stands there. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace callscope {

// Position of value_ns in units of rows from the lowest bound, within [0, number of rows]. bounds:
// ascending, at least two. Linear within a row, so that the scale is as logarithmic as the bounds.
double row_position(std::span<const std::uint64_t> bounds, std::uint64_t value_ns);

struct HeatTick {
  std::uint64_t value = 0;
  std::string label;
};

// Powers of ten between the bounds; 1, 2 and 5 times them where that gives fewer than three.
std::vector<HeatTick> latency_ticks(std::uint64_t low_ns, std::uint64_t high_ns);

// Round seconds from 0 to seconds, at most max_ticks of them.
std::vector<HeatTick> time_ticks(std::uint64_t seconds, std::size_t max_ticks);

// "200 ns", "5 µs", "1 ms", "10 s" of such a tick, and of bounds between: "1.02 ms".
std::string latency_label(std::uint64_t ns);

// "0 s", "45 s", "2:30", "1:00:00".
std::string time_label(std::uint64_t seconds);

}  // namespace callscope
