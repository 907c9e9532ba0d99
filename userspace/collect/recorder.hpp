// SPDX-License-Identifier: Apache-2.0
// Records one process: owns the collectors and the growing Recording. The caller runs the event
// loop: poll ring_fd(), call drain() when it is readable and tick() about once a second, stop() at
// the end. One thread. Destroying it removes every probe from the target.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "collect/calibration.hpp"
#include "collect/calls_collector.hpp"
#include "collect/cpu_collector.hpp"
#include "collect/resources.hpp"
#include "probes/pattern.hpp"
#include "probes/probe_cost.hpp"
#include "symbols/symbolizer.hpp"
#include "target/process.hpp"
#include "target/safety.hpp"

namespace callscope {

struct RecordOptions {
  std::vector<FunctionPattern> patterns;    // empty: no function is probed
  std::optional<ProbeMechanism> mechanism;  // nothing: the best one that works
  std::optional<ExitMode> exit_mode;        // nothing: the best that is safe; never less safe
  std::uint64_t sample_hz = 99;             // 0: no CPU sampling
  SampleClock clock = SampleClock::kCpuClock;
  bool follow_children = true;
  std::uint64_t interval_ns = 1'000'000'000;
  std::uint64_t max_snapshots = 1000;
  std::string tool_version;
};

class Recorder {
 public:
  // Opens the target, decides what is safe, loads and attaches; nothing is counted yet.
  static Result<std::unique_ptr<Recorder>> create(std::int32_t pid, const RecordOptions& options);

  void enable();                                                // the recording begins
  [[nodiscard]] int ring_fd() const;                            // -1: no CPU sampling
  [[nodiscard]] int pidfd() const { return process_.pidfd(); }  // readable when the target ended
  void drain();
  // Brings maps, counters, resources and quality of recording() up to date.
  Result<void> tick();
  // Ends the recording and removes all probes; the target runs on.
  Result<void> stop(const std::string& ended_by);

  [[nodiscard]] const Recording& recording() const { return recording_; }
  [[nodiscard]] Recording& recording() { return recording_; }

  struct Progress {
    std::uint64_t samples = 0;
    std::uint64_t calls = 0;  // as of the last tick, like lost
    std::uint64_t lost = 0;   // all losses of the quality block
  };
  [[nodiscard]] Progress progress() const;

 private:
  Recorder(Process process, const RecordOptions& options);
  Result<void> describe_target();
  Result<void> start_cpu();
  Result<void> start_calls();
  void watch_for_unwinder();
  void finish_calibration();
  void update_quality();

  RecordOptions options_;
  Process process_;
  Recording recording_;
  Symbolizer symbolizer_;  // refers to recording_
  SafetyFacts facts_;
  std::optional<ResourceCollector> resources_;
  std::unique_ptr<CpuCollector> cpu_;
  std::optional<CallsCollector> calls_;
  std::optional<Calibration> calibration_;
  bool return_probes_dropped_ = false;
  std::uint64_t begin_ns_ = 0;
};

}  // namespace callscope
