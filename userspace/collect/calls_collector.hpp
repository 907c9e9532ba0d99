// SPDX-License-Identifier: Apache-2.0
// Function latency: owns the calls BPF program of one target and copies its statistics into
// Recording::functions. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bpf/calls_program.hpp"
#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "collect/probe_plan.hpp"

namespace callscope {

class CallsCollector {
 public:
  // Loads and attaches the probes of the plan by the best mechanism that works, or by the one
  // given; nothing counts before enable(). Functions that the kernel refuses go from the plan into
  // its notes.
  static Result<CallsCollector> start(std::int32_t pid, ProbePlan& plan,
                                      std::optional<ProbeMechanism> mechanism);

  void enable() { program_.enable(); }
  // Removes the probes; update() afterwards gives the final numbers.
  Result<void> stop() { return program_.stop(); }

  [[nodiscard]] bool has_return_probes() const { return return_probes_; }
  // Removes them for good; calls of their functions are not counted any more.
  void drop_return_probes();

  void update(std::vector<FunctionStats>& functions) const;
  void add_quality(std::vector<QualityItem>& quality) const;
  [[nodiscard]] ProbeMechanism mechanism() const { return mechanism_; }

 private:
  CallsCollector(CallsProgram program, ProbeMechanism mechanism, const CallProbes& probes,
                 std::vector<std::uint32_t> cookies)
      : program_(std::move(program)),
        cookies_(std::move(cookies)),
        mechanism_(mechanism),
        exit_sites_(!probes.site_entries.empty()),
        return_probes_(!probes.return_probed.empty()) {}

  CallsProgram program_;
  std::vector<std::uint32_t> cookies_;  // of each function that stayed in the plan
  ProbeMechanism mechanism_;
  bool exit_sites_;
  bool return_probes_;
};

}  // namespace callscope
