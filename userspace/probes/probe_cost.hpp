// SPDX-License-Identifier: Apache-2.0
// What a probe adds to one call, in ns, by the class of the probed instruction and the kind of
// exit. The figures are measured on this machine (collect/calibration); this file only combines
// them.
#pragma once

#include <cstdint>

#include "callscope/recording.hpp"

namespace callscope {

// Sum of entry and exit probe of one timed call, by where the function's probes stand.
std::uint64_t predicted_cost_ns(const ProbeCosts& costs, const FunctionStats& function);

// Of one exit site.
std::uint64_t exit_site_cost_ns(const ProbeCosts& costs, bool emulated);

}  // namespace callscope
