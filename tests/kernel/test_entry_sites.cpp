// SPDX-License-Identifier: Apache-2.0
// Where the entry probe stands changes the cost, never the counts: functions that begin with every
// kind of instruction, by every exit mode.
#include <catch2/catch.hpp>

#include "target_run.hpp"

using namespace callscope;
using test::record_target;
using test::TargetRun;

namespace {

const std::vector<ExitMode> kModes{ExitMode::kUretprobe, ExitMode::kRetSite, ExitMode::kEntryOnly};

TargetRun record_by(ExitMode mode, std::vector<std::string> argv,
                    const std::vector<std::string>& patterns) {
  RecordOptions options;
  options.exit_mode = mode;
  options.unsafe = true;  // none of these loads an unwinder; old kernels cannot hold return probes
  options.sample_hz = 0;
  return record_target(std::move(argv), options, patterns);
}

void check_function(const FunctionStats& function, ExitMode mode, std::uint64_t calls) {
  CHECK(function.exit == mode);
  CHECK(function.calls == calls);
  CHECK(function.unwound == 0);
  CHECK(function.returns == (mode == ExitMode::kEntryOnly ? 0 : calls));
  CHECK(function.untimed == (mode == ExitMode::kEntryOnly ? calls : 0));
}

struct Beginning {
  std::string function;
  bool slides = false;           // past its first instruction, whatever the exit mode
  bool slides_past_rsp = false;  // where no return probe needs the stack as it was
};

void check_beginning(const Beginning& beginning) {
  const std::string& name = beginning.function;
  for (const ExitMode mode : kModes) {
    INFO(name << " by exit mode " << static_cast<int>(mode));
    const TargetRun run = record_by(mode, {"t_probecost", name, "3000", "--windows", "2"}, {name});
    CHECK(run.status == 0);
    CHECK(run.truth.at("calls " + name) == 6000);
    const FunctionStats& function = run.function(name);
    check_function(function, mode, run.truth.at("calls " + name));
    const bool slides = mode == ExitMode::kUretprobe ? beginning.slides : beginning.slides_past_rsp;
    CHECK((function.site_addr > function.addr) == slides);
    CHECK(function.site_addr < function.addr + function.size_bytes);
    CHECK(function.emulated_entry == (slides || !beginning.slides_past_rsp));
  }
}

}  // namespace

TEST_CASE("an emulated first instruction bears the probe itself: push", "[bpf][long]") {
  check_beginning({.function = "cost_push"});
}

TEST_CASE("an emulated first instruction bears the probe itself: nop", "[bpf][long]") {
  check_beginning({.function = "cost_nop"});
}

TEST_CASE("behind endbr64 a slid probe counts the same by every exit mode", "[bpf][long]") {
  check_beginning({.function = "cost_endbr64", .slides = true, .slides_past_rsp = true});
}

TEST_CASE("behind a change of rsp a slid probe counts what one in front of it counts",
          "[bpf][long]") {
  check_beginning({.function = "cost_sub", .slides_past_rsp = true});
}

TEST_CASE("every exit mode counts the same calls of a compiled program", "[bpf][long]") {
  const std::string target = GENERATE("t_known", "t_known_nofp");
  for (const ExitMode mode : kModes) {
    INFO(target << " by exit mode " << static_cast<int>(mode));
    const TargetRun run =
        record_by(mode, {target, "--calls", "100", "--sleeps", "20"}, {"work_*", "sleepy"});
    CHECK(run.status == 0);
    for (const auto& [name, calls] : std::vector<std::pair<std::string, std::uint64_t>>{
             {"work_a", 100}, {"work_b", 100}, {"work_c", 200}, {"sleepy", 20}}) {
      INFO(name);
      check_function(run.function(name), mode, calls);
    }
  }
}
