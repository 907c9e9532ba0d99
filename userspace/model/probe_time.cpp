// SPDX-License-Identifier: Apache-2.0
#include "model/probe_time.hpp"

#include <algorithm>

namespace callscope {
namespace {

// Of a call that is counted and nothing else; never above what a timed one costs.
std::uint64_t counted_cost_ns(const ProbeCosts& costs, const FunctionStats& f) {
  if (f.exit == ExitMode::kEntryOnly) return f.probe_cost_ns;
  const std::uint64_t entry_ns = f.emulated_entry ? costs.counted_entry_ns : costs.stepped_entry_ns;
  return entry_ns == 0 ? f.probe_cost_ns : std::min(entry_ns, f.probe_cost_ns);
}

}  // namespace

std::uint64_t probe_time_ns(const Recording& recording, const FunctionStats& function) {
  const std::uint64_t counted = std::min(function.calls, function.skipped + function.untimed);
  return (function.calls - counted) * function.probe_cost_ns +
         counted * counted_cost_ns(recording.probe_costs, function);
}

std::uint64_t probe_time_ns(const Recording& recording) {
  std::uint64_t sum_ns = 0;
  for (const FunctionStats& f : recording.functions) sum_ns += probe_time_ns(recording, f);
  return sum_ns;
}

}  // namespace callscope
