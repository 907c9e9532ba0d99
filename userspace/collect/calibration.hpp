// SPDX-License-Identifier: Apache-2.0
// Measures what our probes cost on this machine, now: the real BPF programs on small functions of a
// child process of ours, a hundred calls of each kind. No other process, and not callscope itself,
// is ever probed. Runs in a thread of its own, so that planning goes on meanwhile; wait() needs it
// no longer than to the last timed call, the destructor until the last probe is gone, which may
// take until no return probe of ours is armed any more.
#pragma once

#include <cstdint>
#include <future>
#include <optional>
#include <thread>

#include "bpf/calls_program.hpp"
#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "collect/calibration_child.hpp"

namespace callscope {

// The probes of a CalibrationChild; each function's number is its CalibrationCall above the first.
// kInternal if our own code cannot be found.
Result<CallProbes> calibration_probes(std::uint32_t first_func);

// What the samples of a child with these probes say.
ProbeCosts probe_costs(const CalibrationSamples& samples);

class Calibration {
 public:
  // With the program of a recording that is not enabled yet, and kCalibrationCalls functions from
  // first_func on that it leaves to us. The program must not move, and live until wait() returned.
  static Calibration start(CallsProgram& program, std::uint32_t first_func);
  // With a program of its own. mechanism: nothing means the best one that works.
  static Calibration start(std::optional<ProbeMechanism> mechanism);
  Calibration(Calibration&&) noexcept = default;
  Calibration& operator=(Calibration&&) = delete;
  ~Calibration();

  // Every field of the costs is set. The child is gone when this returns. May be asked again, by
  // one thread at a time. Fails as loading and attaching probes fail; kInternal without a child.
  [[nodiscard]] Result<ProbeCosts> wait() const { return costs_.get(); }

 private:
  Calibration(std::shared_future<Result<ProbeCosts>> costs, std::thread thread)
      : costs_(std::move(costs)), thread_(std::move(thread)) {}

  std::shared_future<Result<ProbeCosts>> costs_;
  std::thread thread_;
};

}  // namespace callscope
