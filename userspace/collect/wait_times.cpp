// SPDX-License-Identifier: Apache-2.0
#include "collect/wait_times.hpp"

#include <optional>

namespace callscope {

void WaitTimes::add(const cs_stack_key& key, std::uint32_t stack) {
  if (rows_.add(key, stack))
    recording_.waits.push_back(
        {stack, static_cast<std::int32_t>(key.tgid), static_cast<std::int32_t>(key.tid), 0, 0, 0});
}

Result<void> WaitTimes::update(const CpuProgram& program, std::uint64_t now_ns) {
  const Result<std::vector<OffCpuProgram::Counted>> times = program.off_cpu_times(now_ns);
  if (!times) return std::unexpected(times.error());
  lost_ = 0;
  for (Waits& waits : recording_.waits) waits.count = waits.blocked_ns = waits.runq_ns = 0;
  for (const auto& [key, time] : *times) {
    const std::optional<std::size_t> row = rows_.find(key);
    if (!row) {
      lost_ += time.count;
      continue;
    }
    Waits& waits = recording_.waits[*row];
    waits.count += time.count;
    waits.blocked_ns += time.blocked_ns;
    waits.runq_ns += time.runq_ns;
  }
  return {};
}

void WaitTimes::add_quality(const CpuProgram& program, std::vector<QualityItem>& quality) const {
  quality.push_back(
      {"waits_unseen", program.counter(CS_STAT_WAIT_UNSEEN), false,
       "waits that nobody saw begin, of threads asleep at the start or new: not counted"});
  quality.push_back(
      {"waits_not_walked", program.counter(CS_STAT_WAIT_NOT_WALKED), false,
       "waits whose stack was not taken, to keep the cost low; their time stands at [no stack]"});
  quality.push_back({"waits_lost", program.counter(CS_STAT_WAIT_LOST), true,
                     "waits not counted: too many threads or distinct stacks"});
  quality.push_back({"wait_stacks_not_received", lost_, true,
                     "waits whose stack never fit into the ring buffer"});
}

}  // namespace callscope
