// SPDX-License-Identifier: Apache-2.0
#include "collect/fault_counts.hpp"

#include <optional>

namespace callscope {

void FaultCounts::add(const cs_stack_key& key, std::uint32_t stack) {
  if (rows_.add(key, stack))
    recording_.faults.push_back(
        {stack, static_cast<std::int32_t>(key.tgid), static_cast<std::int32_t>(key.tid), 0});
}

Result<void> FaultCounts::update(const CpuProgram& program) {
  const Result<std::vector<CpuProgram::Counted>> counts = program.page_faults();
  if (!counts) return std::unexpected(counts.error());
  lost_ = 0;
  for (PageFaults& faults : recording_.faults) faults.count = 0;
  for (const auto& [key, count] : *counts) {
    if (const std::optional<std::size_t> row = rows_.find(key))
      recording_.faults[*row].count += count;
    else
      lost_ += count;
  }
  return {};
}

void FaultCounts::add_quality(const CpuProgram& program, std::vector<QualityItem>& quality) const {
  quality.push_back({"page_faults", program.counter(CS_STAT_FAULTS), false,
                     "page faults of the recorded processes, small and large ones"});
  quality.push_back(
      {"faults_not_walked", program.counter(CS_STAT_FAULT_NOT_WALKED), false,
       "page faults whose stack was not taken, to keep the cost low; they stand at [no stack]"});
  quality.push_back({"faults_lost", program.counter(CS_STAT_FAULT_LOST), true,
                     "page faults not counted by stack: too many distinct stacks"});
  quality.push_back({"fault_stacks_not_received", lost_, true,
                     "page faults whose stack never fit into the ring buffer"});
}

}  // namespace callscope
