// SPDX-License-Identifier: Apache-2.0
// What the probes took from the target, by prediction: calls times the cost measured at the start.
// Shown beside the raw times, never subtracted from them. Pure functions.
#pragma once

#include <cstdint>

#include "callscope/recording.hpp"

namespace callscope {

// A timed call costs the entry and the exit probe; one that is only counted (skipped to keep the
// budget, too deep, or of an entry-only function) the entry.
std::uint64_t probe_time_ns(const Recording& recording, const FunctionStats& function);

// The same over all functions.
std::uint64_t probe_time_ns(const Recording& recording);

}  // namespace callscope
