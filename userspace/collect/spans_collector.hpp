// SPDX-License-Identifier: Apache-2.0
// Spans and counted markers: owns the spans BPF program of one target and copies its statistics
// into Recording::spans. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bpf/spans_program.hpp"
#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "probes/span_spec.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

class SpansCollector {
 public:
  struct Options {
    std::optional<ProbeMechanism> mechanism;  // nothing: the best one that works
    std::uint32_t max_open = 65536;           // spans open at one time; more are lost, and counted
  };

  // Finds the points, loads and attaches; nothing counts before enable(). The symbolizer must have
  // been refreshed for pid. Fails when a single probe is refused: a span needs both of its ends.
  static Result<SpansCollector> start(std::int32_t pid, Symbolizer& symbolizer,
                                      const SpanRequest& request, const Options& options);

  void enable() { program_.enable(); }
  // Another process of the same files, as a forked child is, counts from here on.
  void add_process(std::int32_t pid);
  void remove_process(std::int32_t pid) { program_.remove_process(pid); }
  // Removes the probes; update() afterwards gives the final numbers.
  void stop() { program_.stop(); }

  void update(std::vector<SpanStats>& spans);
  void add_quality(std::vector<QualityItem>& quality) const;
  // One line each: what was decided and why, what was missed.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  SpansCollector(SpansProgram program, ProbeMechanism mechanism, std::vector<SpanStats> rows,
                 const SpanRequest& request, std::vector<std::string> notes)
      : program_(std::move(program)),
        mechanism_(mechanism),
        rows_(std::move(rows)),
        named_(request.named),
        notes_(std::move(notes)) {}
  void find_new_names();

  SpansProgram program_;
  ProbeMechanism mechanism_;
  std::vector<SpanStats> rows_;           // what does not change, in the order of the output
  std::vector<std::uint32_t> named_row_;  // of the rows by name, behind the others
  std::vector<std::string> named_;        // globs
  std::vector<std::string> notes_;
};

}  // namespace callscope
