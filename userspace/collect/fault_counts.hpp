// SPDX-License-Identifier: Apache-2.0
// Recording::faults: in which stacks threads touch new memory. The stacks come as those of samples
// do, once each (CpuCollector); the counts stay in the BPF program until update(). One thread; the
// Recording must outlive it.
#pragma once

#include <cstdint>
#include <vector>

#include "bpf/cpu_program.hpp"
#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "collect/stack_rows.hpp"

namespace callscope {

class FaultCounts {
 public:
  explicit FaultCounts(Recording& recording) : recording_(recording) {}

  [[nodiscard]] bool knows(const cs_stack_key& key) const { return rows_.find(key).has_value(); }
  // stack: Stack::id.
  void add(const cs_stack_key& key, std::uint32_t stack);
  Result<void> update(const CpuProgram& program);
  void add_quality(const CpuProgram& program, std::vector<QualityItem>& quality) const;

 private:
  Recording& recording_;
  StackRows rows_;          // into Recording::faults
  std::uint64_t lost_ = 0;  // faults whose frames were never received
};

}  // namespace callscope
