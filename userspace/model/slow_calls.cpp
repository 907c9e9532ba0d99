// SPDX-License-Identifier: Apache-2.0
#include "model/slow_calls.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace callscope {

std::vector<const SlowCall*> slowest_calls(const Recording& recording) {
  std::vector<const SlowCall*> calls;
  calls.reserve(recording.slow_calls.size());
  for (const SlowCall& call : recording.slow_calls) calls.push_back(&call);
  std::ranges::stable_sort(calls, [](const SlowCall* a, const SlowCall* b) {
    return a->duration_ns != b->duration_ns ? a->duration_ns > b->duration_ns : a->t_ns < b->t_ns;
  });
  return calls;
}

std::vector<SlowFunction> slow_functions(const Recording& recording) {
  std::map<std::uint32_t, SlowFunction> by_function;
  for (const SlowCall& call : recording.slow_calls) {
    SlowFunction& sums = by_function[call.function];
    sums.function = call.function;
    ++sums.calls;
    sums.sum_ns += call.duration_ns;
    sums.max_ns = std::max(sums.max_ns, call.duration_ns);
    sums.blocked_ns += call.blocked_ns;
    sums.runq_ns += call.runq_ns;
  }
  std::vector<SlowFunction> list;
  for (const auto& [function, sums] : by_function) list.push_back(sums);
  std::ranges::stable_sort(list, std::greater{}, &SlowFunction::sum_ns);
  return list;
}

}  // namespace callscope
