// SPDX-License-Identifier: Apache-2.0
// Keeps a growing list of snapshots bounded. Pure function, deterministic.
#pragma once

#include <cstddef>
#include <vector>

#include "callscope/recording.hpp"

namespace callscope {

// Call after each append; does nothing until snapshots (ascending by t_ns) outnumber max_count.
// Then every second one of the oldest goes that still stand as close as the closest, an eighth of
// max_count at once: the cost of a call is constant on average, and history gets coarser, the
// oldest first, but at any time covers the whole run. Never removed: the first, the last, and the
// earliest minimum and maximum of RSS, VMS, PSS, open descriptors and threads. If these alone are
// more than max_count, the oldest of them except first and last go too. max_count below 2 is 2.
void thin_snapshots(std::vector<ResourceSnapshot>& snapshots, std::size_t max_count);

}  // namespace callscope
