// SPDX-License-Identifier: Apache-2.0
// Owns the spans BPF object: load, attach, enable, read, stop. Members are destroyed in the order
// probes, views, skeleton, as the kernel needs it. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bpf/link_reaper.hpp"
#include "bpf/shared_array.hpp"
#include "bpf/uprobe_set.hpp"
#include "callscope/abi/histogram.h"
#include "callscope/abi/spans.h"
#include "callscope/abi/stats.h"
#include "callscope/error.hpp"

struct spans_bpf;

namespace callscope {

class SpansProgram {
 public:
  // Rows as in cs_span_config.
  struct Options {
    std::uint32_t tgid = 0;
    std::uint32_t n_spans = 0;    // at most CS_SPANS_MAX
    std::uint32_t n_counted = 0;  // markers that are only counted
    bool named = false;           // rows for spans by name
    std::uint64_t thread_keyed = 0;
    std::uint32_t max_open = 65536;  // spans open at one time; what begins beyond it is lost
    ProbeMechanism mechanism = ProbeMechanism::kMulti;  // or kPerfEvent
  };

  // sites: element i is what the probe with cookie i does. kUnsupported: try the next mechanism.
  static Result<SpansProgram> load(const Options& options, std::span<const cs_span_site> sites);
  SpansProgram(SpansProgram&&) noexcept;
  SpansProgram& operator=(SpansProgram&&) noexcept;
  ~SpansProgram();

  Result<void> attach(std::vector<Probe> probes);
  // The same probes in another process, which counts from here on; its files are the same ones. No
  // error if it has ended.
  Result<void> add_process(std::int32_t pid);
  // It has ended.
  void remove_process(std::int32_t pid);
  [[nodiscard]] const std::vector<ProbeFailure>& failures() const { return probes_.failures(); }
  void enable();
  // Stops counting and removes the probes; the numbers stay readable.
  void stop();

  // row < n_rows().
  [[nodiscard]] std::uint32_t n_rows() const { return n_rows_; }
  [[nodiscard]] cs_span_stats stats(std::uint32_t row) const;
  [[nodiscard]] std::vector<std::pair<std::uint32_t, std::uint64_t>> histogram(
      std::uint32_t row) const;
  // The names seen so far with their rows, in no order.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint32_t>> names() const;
  [[nodiscard]] std::uint64_t counter(cs_stat reason) const;

 private:
  struct SkeletonDeleter {
    void operator()(spans_bpf* skeleton) const;
  };
  explicit SpansProgram(const Options& options);
  Result<void> configure(std::span<const cs_span_site> sites);
  Result<void> fill(std::span<const cs_span_site> sites);

  Options options_;
  std::uint32_t n_rows_;
  std::unique_ptr<spans_bpf, SkeletonDeleter> skeleton_;
  SharedArray stats_;
  SharedArray histograms_;
  std::vector<Probe> attached_;
  UprobeSet probes_;
  std::map<std::int32_t, UprobeSet> further_;  // by process
  std::unique_ptr<LinkReaper> reaper_;
};

}  // namespace callscope
