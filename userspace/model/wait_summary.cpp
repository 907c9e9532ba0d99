// SPDX-License-Identifier: Apache-2.0
#include "model/wait_summary.hpp"

#include <set>
#include <utility>

namespace callscope {

void WaitSums::add(const Waits& waits) {
  count += waits.count;
  blocked_ns += waits.blocked_ns;
  runq_ns += waits.runq_ns;
}

WaitSummary summarize_waits(const Recording& recording) {
  WaitSummary summary;
  std::set<std::pair<std::int32_t, std::int32_t>> threads;
  for (const Waits& waits : recording.waits) {
    summary.all.add(waits);
    if (waits.count > 0) threads.emplace(waits.pid, waits.tid);
  }
  summary.threads = threads.size();
  return summary;
}

}  // namespace callscope
