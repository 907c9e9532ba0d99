// SPDX-License-Identifier: Apache-2.0
#include "probes/probe_cost.hpp"

namespace callscope {

std::uint64_t predicted_cost_ns(const ProbeCosts& costs, bool emulated_entry, ExitMode exit) {
  const std::uint64_t entry_ns = emulated_entry ? costs.emulated_entry_ns : costs.stepped_entry_ns;
  switch (exit) {
    case ExitMode::kUretprobe:
      return entry_ns + costs.return_ns;
    case ExitMode::kRetSite:
      return entry_ns + costs.stepped_entry_ns;
    case ExitMode::kEntryOnly:
      return entry_ns;
  }
  return entry_ns;
}

}  // namespace callscope
