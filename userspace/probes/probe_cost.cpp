// SPDX-License-Identifier: Apache-2.0
#include "probes/probe_cost.hpp"

namespace callscope {

std::uint64_t predicted_cost_ns(const ProbeCosts& costs, const FunctionStats& function) {
  const std::uint64_t entry_ns =
      function.emulated_entry ? costs.emulated_entry_ns : costs.stepped_entry_ns;
  switch (function.exit) {
    case ExitMode::kUretprobe:
      return entry_ns + costs.return_ns;
    case ExitMode::kRetSite:
      return entry_ns + exit_site_cost_ns(costs, function.emulated_exits);
    case ExitMode::kEntryOnly:
      return entry_ns;
  }
  return entry_ns;
}

std::uint64_t exit_site_cost_ns(const ProbeCosts& costs, bool emulated) {
  return emulated ? costs.emulated_exit_ns : costs.stepped_exit_ns;
}

}  // namespace callscope
