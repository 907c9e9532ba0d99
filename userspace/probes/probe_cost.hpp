// SPDX-License-Identifier: Apache-2.0
// What a probe adds to one call, in ns, by the class of the probed instruction and the kind of
// exit. The figures are measured on this machine (collect/calibration); this file only combines
// them.
#pragma once

#include <cstdint>

#include "callscope/recording.hpp"

namespace callscope {

// Cost of one probe hit with our BPF program behind it; 0 = not measured.
struct ProbeCosts {
  std::uint64_t emulated_entry_ns = 0;  // probe on an instruction that the kernel emulates
  std::uint64_t stepped_entry_ns = 0;   // probe on one that it single-steps
  std::uint64_t return_ns = 0;          // a return probe
};

// Sum of entry and exit. A ret is always single-stepped; a tail jump, emulated, costs less.
std::uint64_t predicted_cost_ns(const ProbeCosts& costs, bool emulated_entry, ExitMode exit);

}  // namespace callscope
