// SPDX-License-Identifier: Apache-2.0
#include "model/thread_table.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>

namespace callscope {

std::vector<ThreadRow> thread_table(const Recording& recording) {
  if (!recording.calls_by_thread) return {};
  std::map<std::int32_t, std::map<std::uint32_t, CallSums>> sums;
  for (const CallNode& node : recording.call_nodes) sums[node.tid][node.function].add(node);
  std::map<std::int32_t, std::uint64_t> samples;
  for (const CpuSamples& s : recording.cpu) samples[s.tid] += s.count;
  std::vector<ThreadRow> rows;
  for (const auto& [tid, functions] : sums) {
    ThreadRow& row = rows.emplace_back(ThreadRow{tid, samples[tid], 0, {}});
    for (const auto& [function, function_sums] : functions) {
      row.in_calls_ns += function_sums.self_ns;
      row.functions.push_back({function, function_sums});
    }
    std::ranges::stable_sort(row.functions, [](const ThreadFunction& a, const ThreadFunction& b) {
      return std::tie(b.sums.total_ns, b.sums.self_ns) < std::tie(a.sums.total_ns, a.sums.self_ns);
    });
  }
  std::ranges::stable_sort(rows, std::greater{}, &ThreadRow::in_calls_ns);
  return rows;
}

}  // namespace callscope
