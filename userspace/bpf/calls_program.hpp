// SPDX-License-Identifier: Apache-2.0
// Owns the calls BPF object: load, attach, enable, read, stop. Members are destroyed in the order
// probes, views, skeleton, as the kernel needs it. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bpf/shared_array.hpp"
#include "bpf/uprobe_set.hpp"
#include "callscope/abi/calls.h"
#include "callscope/abi/histogram.h"
#include "callscope/abi/stats.h"
#include "callscope/error.hpp"

struct calls_bpf;

namespace callscope {

// Where to put the probes, cookies already set (abi/calls.h). return_probed entries get a return
// probe (session) at the same place.
struct CallProbes {
  std::vector<Probe> return_probed;
  std::vector<Probe> site_entries;  // entries whose exits are in exit_sites
  std::vector<Probe> exit_sites;
  std::vector<Probe> counted;  // entries that are only counted
};

class CallsProgram {
 public:
  // The has_ flags say which lists of CallProbes will be filled: each program costs load time.
  struct Options {
    std::uint32_t tgid = 0;
    std::uint32_t n_functions = 0;
    std::uint32_t cpus = 1;
    ProbeMechanism mechanism = ProbeMechanism::kSession;
    bool has_return_probes = true;
    bool has_exit_sites = false;
    bool has_counted = false;
  };

  // Loads the programs that the mechanism needs; kUnsupported: try the next mechanism.
  static Result<CallsProgram> load(const Options& options);
  CallsProgram(CallsProgram&&) noexcept;
  CallsProgram& operator=(CallsProgram&&) noexcept;
  ~CallsProgram();

  Result<void> attach(const CallProbes& probes);
  [[nodiscard]] std::vector<ProbeFailure> failures() const;

  void enable();
  void detach_return_probes();
  // Stops counting, removes the probes, then counts the calls that are still open.
  Result<void> stop();

  // Sums over all shards. func < n_functions.
  [[nodiscard]] cs_call_stats stats(std::uint32_t func) const;
  [[nodiscard]] std::vector<std::pair<std::uint32_t, std::uint64_t>> histogram(
      std::uint32_t func) const;
  [[nodiscard]] std::uint64_t counter(cs_stat reason) const;

 private:
  struct SkeletonDeleter {
    void operator()(calls_bpf* skeleton) const;
  };
  explicit CallsProgram(const Options& options);
  Result<void> count_running();

  Options options_;
  std::uint32_t shards_ = 1;
  std::unique_ptr<calls_bpf, SkeletonDeleter> skeleton_;
  SharedArray stats_;
  SharedArray histograms_;
  std::vector<UprobeSet> return_probes_;  // the sets of CallProbes::return_probed
  std::vector<UprobeSet> probes_;         // all others
};

}  // namespace callscope
