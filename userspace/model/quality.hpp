// SPDX-License-Identifier: Apache-2.0
// Whether a recording can be trusted: the counted losses and what follows from the data itself.
// Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "callscope/recording.hpp"

namespace callscope {

// The items of the recording, then derived ones whose key the recording does not have yet:
// "unmatched_returns", "unfinished", "truncated_samples", "unresolved_samples", "probe_time_ns".
std::vector<QualityItem> quality_items(const Recording& recording);

// Why data is missing, one line each ("3 events lost ..."); empty: the recording is complete.
std::vector<std::string> incompleteness(const std::vector<QualityItem>& items);

// Calls whose end is in no class: calls - returns - unwound - running - untimed - skipped, summed
// over all functions, without sign. Always 0 unless events were lost.
std::uint64_t unmatched_returns(const Recording& recording);

}  // namespace callscope
