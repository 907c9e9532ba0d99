// SPDX-License-Identifier: Apache-2.0
// Function latency: owns the calls BPF program, attaches what is planned and copies the statistics
// into the Recording. Knows nothing of how the probes were chosen (probe_plan.hpp) nor of when
// processes come and go (call_tracer.hpp). One thread; the Recording must outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bpf/calls_program.hpp"
#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "collect/calibration.hpp"
#include "collect/call_budget.hpp"
#include "collect/call_statistics.hpp"
#include "collect/function_registry.hpp"
#include "collect/mechanism_ladder.hpp"
#include "collect/probe_plan.hpp"

namespace callscope {

class CallsCollector {
 public:
  struct Options {
    std::int32_t pid = 0;
    std::uint32_t functions = 0;              // found at the start; there is room for some more
    std::optional<ProbeMechanism> mechanism;  // nothing: the best one that works
    bool by_thread = false;
    double budget_percent = 0;  // 0: none
    bool follow_children = true;
    bool log_slow_calls = false;
    bool calibrate = true;               // else probe costs are unknown: no budget either
    const UnwindMaps* unwind = nullptr;  // as CallsProgram::Options
  };

  // Loads the program by the best mechanism and begins to calibrate; nothing is attached to the
  // target yet. Takes 0.1 s and more. Leaves the Recording alone, so any thread may call it.
  static Result<std::unique_ptr<CallsCollector>> load(const Options& options, Recording& recording);
  ~CallsCollector();
  // To call once before all that follows: tells the Recording how its functions are probed.
  void begin(CallsProgram::Handlers handlers);
  // Waits for the costs of probes, which are noted in the Recording; to call before enable().
  void finish_calibration();

  // Attaches the probes of the plan in one process; nothing counts before enable(). Functions that
  // the kernel refuses lose their row, which is noted.
  Result<void> attach(std::int32_t pid, ProbePlan plan);
  // Calls of these functions end at the sites of the plan from now on, not at return probes.
  Result<void> replace_return_probes(std::int32_t pid, const ProbePlan& plan);
  void enable(std::uint64_t begin_ns);
  // Removes the probes; update() afterwards gives the final numbers.
  Result<void> stop() { return program_.stop(); }

  // To call every 100 ms and when a function bursts its budget.
  Result<void> keep_budget(std::uint64_t now_ns);
  // Copies the statistics; second: of the recording, for Recording::latency_columns.
  void update(std::uint32_t second);
  void add_quality(std::vector<QualityItem>& quality) const;

  [[nodiscard]] CallsProgram& program() { return program_; }
  [[nodiscard]] FunctionRegistry& registry() { return registry_; }
  [[nodiscard]] ProbeMechanism mechanism() const { return program_.options().mechanism; }

 private:
  CallsCollector(LoadedCalls loaded, const Options& options, Recording& recording);
  void set_costs(const ProbeCosts& costs);
  void drop_refused(ProbePlan& plan);
  void begin_to_count(const std::vector<std::uint32_t>& functions);
  void begin_tail_callees(const ProbePlan& plan);
  void set_cost(std::uint32_t func);

  Options options_;
  Recording& recording_;
  FunctionRegistry registry_;
  std::optional<Calibration> calibration_;  // outlives the links: see its destructor
  std::string mechanism_note_;
  CallsProgram program_;
  CallStatistics statistics_;
  CallBudget budget_;
  std::size_t failures_seen_ = 0;
  bool exit_sites_ = false;
  std::uint64_t begin_ns_ = 0;
};

}  // namespace callscope
