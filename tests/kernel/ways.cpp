// SPDX-License-Identifier: Apache-2.0
#include "ways.hpp"

#include <cstdlib>
#include <utility>

namespace callscope::test {
namespace {

std::vector<Way>& chosen_ways() {
  static std::vector<Way> chosen;  // written by main only, before any test runs
  return chosen;
}

}  // namespace

RecordOptions user_options() {
  RecordOptions options;
  options.calibrate = std::getenv("CALLSCOPE_FEWER_CALLS") == nullptr;
  return options;
}

RecordOptions options_for(const Way& way) {
  RecordOptions options = user_options();
  options.mechanism = way.mechanism;
  options.exit_mode = way.exit;
  // Without sessions return probes cannot be held back when a library comes; none does in the
  // tests.
  options.unsafe = way.mechanism != ProbeMechanism::kSession;
  options.sample_hz = 0;
  return options;
}

const std::vector<Way>& all_ways() {
  static const std::vector<Way> all{
      {"session", ProbeMechanism::kSession, ExitMode::kUretprobe},
      {"multi", ProbeMechanism::kMulti, ExitMode::kUretprobe},
      {"multi-ret-site", ProbeMechanism::kMulti, ExitMode::kRetSite},
      {"perf-event", ProbeMechanism::kPerfEvent, ExitMode::kUretprobe},
      {"perf-event-ret-site", ProbeMechanism::kPerfEvent, ExitMode::kRetSite},
  };
  return all;
}

const std::vector<Way>& ways() { return chosen_ways(); }

void choose_ways(std::vector<Way> chosen) { chosen_ways() = std::move(chosen); }

}  // namespace callscope::test
