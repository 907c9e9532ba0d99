// SPDX-License-Identifier: Apache-2.0
// Return probes while a C program gets an unwinder: held back from the moment that its loader
// announces it, then given up for probed ret instructions. Across one of them a throw or a
// cancelled thread would end the process.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "live_run.hpp"

using namespace callscope;
using test::has_note;
using test::LiveRun;
using test::record_target;
using test::TargetRun;

namespace {

struct Hazard {
  std::vector<std::string> argv;
  std::vector<std::string> patterns;
  std::set<std::string> keeping;  // functions that no unwinder can pass
};

// C programs to which an unwinder comes while they are recorded.
std::vector<Hazard> hazards() {
  return {
      {{"t_library_throw_alone", test::target_path("libt_thrower.so")}, {"bounce_*"}, {}},
      {{"t_threads", "--threads", "2", "--calls", "200", "--pthread-exit", "20"},
       {"*_work", "exit_inside"},
       {"shared_work", "even_work", "odd_work"}},
  };
}

// Calls are exact; those that were held are counted, not timed, and so is not how they ended.
void check_counts(const TargetRun& run) {
  CHECK(run.status == 0);
  std::size_t compared = 0;
  for (const auto& [key, value] : run.truth) {
    const std::string name = key.substr(key.find(' ') + 1);
    INFO(key);
    if (key.starts_with("calls ")) {
      ++compared;
      CHECK(run.function(name).calls == value);
    }
    if (key.starts_with("rets ")) {
      CHECK(run.function(name).returns <= value);
      CHECK(run.function(name).returns + run.function(name).untimed >= value);
    }
    if (key.starts_with("unwound ")) CHECK(run.function(name).unwound <= value);
  }
  CHECK(compared > 0);
  for (const FunctionStats& function : run.recording.functions) {
    INFO(function.name);
    CHECK(function.calls ==
          function.returns + function.unwound + function.running + function.untimed);
  }
}

}  // namespace

TEST_CASE("return probes are given up for ret instructions when an unwinder comes",
          "[bpf][long][session]") {
  const Hazard hazard = GENERATE(from_range(hazards()));
  INFO(hazard.argv[0]);
  RecordOptions options;  // as a user gets them
  LiveRun live(hazard.argv, options, hazard.patterns);
  for (const FunctionStats& function : live.recording().functions) {
    INFO(function.name);
    CHECK(function.exit == ExitMode::kUretprobe);
  }
  live.send("\n");
  const TargetRun run = live.finish();
  check_counts(run);
  for (const FunctionStats& function : run.recording.functions) {
    INFO(function.name);
    const bool keeps = hazard.keeping.contains(function.name);
    CHECK(function.exit == (keeps ? ExitMode::kUretprobe : ExitMode::kRetSite));
  }
  CHECK(has_note(run.recording, "return probes were given up at"));
}

TEST_CASE("return probes stay held as long as nobody has judged the new code",
          "[bpf][long][session]") {
  RecordOptions options;
  // Events are answered at the end only: an exception that crossed a return probe ends the target.
  const TargetRun run = record_target(
      {"t_library_throw_alone", test::target_path("libt_thrower.so")}, options, {"bounce_*"});
  check_counts(run);
  CHECK(run.function("bounce_frame").untimed == run.function("bounce_frame").calls);
  // It loads the library: the calls around that had their return probe before.
  CHECK(run.function("bounce_load").returns == 1);
  CHECK(run.function("bounce_top").returns == 1);
  CHECK(run.function("bounce_top").untimed == run.function("bounce_top").calls - 1);
}

TEST_CASE("threads that leave by pthread_exit are safe while nobody judges the new code",
          "[bpf][long][session]") {
  check_counts(
      record_target({"t_threads", "--threads", "2", "--calls", "200", "--pthread-exit", "20"}, {},
                    {"*_work", "exit_inside"}));
}

TEST_CASE("after the switch the calls of a throwing C program are timed again",
          "[bpf][long][session]") {
  RecordOptions options;
  LiveRun live({"t_library_throw_alone", test::target_path("libt_thrower.so"), "--rounds", "2000"},
               options, {"bounce_*"});
  live.send("\n");
  const TargetRun run = live.finish();
  check_counts(run);
  const FunctionStats& frame = run.function("bounce_frame");
  CHECK(frame.returns > 0);
  CHECK(frame.unwound > 0);
  CHECK(frame.untimed < frame.calls / 2);
}

TEST_CASE("threads that are cancelled inside of probed calls end as they do alone",
          "[bpf][long][session]") {
  const std::string first = GENERATE("0", "1", "2");  // the kind of end that brings the unwinder
  INFO(first);
  RecordOptions options;
  LiveRun live({"t_cancel", "--rounds", "4", "--first", first}, options, {"cancel_*", "exit_here"});
  live.send("\n");
  const TargetRun run = live.finish();
  check_counts(run);
  for (const FunctionStats& function : run.recording.functions) {
    INFO(function.name);
    CHECK(function.exit != ExitMode::kUretprobe);
  }
}
