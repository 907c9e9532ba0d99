// SPDX-License-Identifier: Apache-2.0
// Keeps a growing list of snapshots bounded. Pure function, deterministic.
#pragma once

#include <cstddef>
#include <vector>

#include "callscope/recording.hpp"

namespace callscope {

// Call after each append; does nothing until snapshots (ascending by t_ns) outnumber max_count.
// Then every second one of the oldest goes, an eighth of max_count at once, so that the cost of a
// call is constant on average and old history gets coarser instead of vanishing. Never removed:
// the first, the last, and the earliest minimum and maximum of RSS, VMS, PSS, open descriptors and
// threads. If these alone are more than max_count, the oldest of them except first and last go too.
// max_count below 2 counts as 2.
void thin_snapshots(std::vector<ResourceSnapshot>& snapshots, std::size_t max_count);

}  // namespace callscope
