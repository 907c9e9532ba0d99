// SPDX-License-Identifier: Apache-2.0
// Which functions are left by exceptions: told apart from what longjmp leaves. Perf-event uprobes
// do not watch the handlers of exceptions, so these tests need uprobe_multi.
#include <catch2/catch.hpp>

#include "target_run.hpp"

using namespace callscope;
using test::check_truth;
using test::record_target;
using test::TargetRun;

TEST_CASE("calls that a caught exception left threw, those that longjmp left did not",
          "[bpf][long][multi]") {
  const std::string target = GENERATE("t_throw", "t_throw_static");
  INFO(target);
  const TargetRun run = record_target({target, "--leaps", "30"}, {},
                                      {"*throw_frame*", "*throw_top*", "*throw_again*", "*leap_*"});
  check_truth(run);
  const FunctionStats& frame = run.function("throw_frame");
  CHECK(frame.unwound == run.truth.at("unwound throw_frame"));
  CHECK(frame.threw == frame.unwound);
  // Half of the rounds fail, and with them all calls through here.
  const FunctionStats& again = run.function("throw_again");
  CHECK(again.calls == run.truth.at("calls throw_again"));
  CHECK(again.unwound == again.calls / 2);
  CHECK(again.threw == again.unwound);
  CHECK(run.function("throw_top").unwound == 0);
  CHECK(run.function("throw_top").threw == 0);
  const FunctionStats& leap = run.function("leap_frame");
  CHECK(leap.unwound == run.truth.at("unwound leap_frame"));
  CHECK(leap.threw == 0);
}

TEST_CASE("inner, stopped and carried exceptions are counted as thrown through what they left",
          "[bpf][long][multi]") {
  const std::string target = GENERATE("t_throw_nested", "t_throw_nested_static");
  INFO(target);
  const TargetRun run =
      record_target({target}, {}, {"*nest_*", "*inner_frame*", "*carry_frame*", "*loud_frame*"});
  CHECK(run.status == 0);
  for (const std::string name : {"inner_frame", "carry_frame", "loud_frame"}) {
    INFO(name);
    const FunctionStats& function = run.function(name);
    CHECK(function.calls == run.truth.at("calls " + name));
    CHECK(function.unwound > 0);
    CHECK(function.threw == function.unwound);
  }
}

TEST_CASE("a program that knows no exceptions has none", "[bpf][long][multi]") {
  const TargetRun run = record_target({"t_longjmp"}, {}, {"jump_*"});
  check_truth(run);
  CHECK(run.function("jump_frame").unwound > 0);
  CHECK(run.function("jump_frame").threw == 0);
}

TEST_CASE("an exception whose destructors make probed calls is counted as one, too",
          "[bpf][long][multi]") {
  const TargetRun run = record_target({"t_throw_nested"}, {}, {"*nest_*", "*inner_frame*"});
  CHECK(run.status == 0);
  const FunctionStats& frame = run.function("nest_frame");
  CHECK(frame.calls == run.truth.at("calls nest_frame"));
  CHECK(frame.unwound == frame.calls - run.truth.at("rets nest_frame"));
  CHECK(frame.threw == frame.unwound);
}
