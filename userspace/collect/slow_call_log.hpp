// SPDX-License-Identifier: Apache-2.0
// The log of calls that took longer than their --slow threshold: sets the thresholds, turns records
// into Recording::slow_calls, and marks the CPU samples that were taken inside. Keeps a bounded
// number of calls. One thread; Recording, Symbolizer and StackTable must
// outlive it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/calls_program.hpp"
#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "collect/cpu_collector.hpp"
#include "collect/function_registry.hpp"
#include "collect/stack_table.hpp"
#include "probes/pattern.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

// "GLOB>10ms": which functions, and from which duration on.
struct SlowRule {
  FunctionPattern pattern;
  std::uint64_t threshold_ns = 0;

  static Result<SlowRule> parse(std::string_view text);
};

class SlowCallLog {
 public:
  SlowCallLog(std::vector<SlowRule> rules, Recording& recording, Symbolizer& symbolizer,
              StackTable& stacks)
      : rules_(std::move(rules)), recording_(recording), symbolizer_(symbolizer), stacks_(stacks) {}

  [[nodiscard]] bool wanted() const { return !rules_.empty(); }
  // Sets the thresholds of functions that are new in the registry. executables: paths, which a rule
  // without a library means.
  void set_thresholds(CallsProgram& program, const FunctionRegistry& registry,
                      const std::set<std::string>& executables);
  void on_record(const cs_slow_record& record);
  // Moves what came since the last time into the Recording. cpu may be null; its records must have
  // been drained.
  void update(const FunctionRegistry& registry, std::uint64_t begin_ns, CpuCollector* cpu);
  void add_quality(std::vector<QualityItem>& quality) const;

 private:
  SlowCall make_call(const cs_slow_record& record, std::uint32_t row, std::uint64_t begin_ns);

  std::vector<SlowRule> rules_;
  Recording& recording_;
  Symbolizer& symbolizer_;
  StackTable& stacks_;
  std::vector<cs_slow_record> waiting_;
  std::vector<std::uint8_t> args_known_;  // of each function
  std::uint32_t judged_ = 0;              // functions that have their threshold
  std::uint64_t dropped_ = 0;             // calls beyond what is kept
};

}  // namespace callscope
