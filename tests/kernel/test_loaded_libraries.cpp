// SPDX-License-Identifier: Apache-2.0
// Functions of libraries that the target loads while it is recorded. Perf-event uprobes do not
// watch the loader, so these tests need uprobe_multi.
#include <algorithm>
#include <catch2/catch.hpp>

#include "live_run.hpp"

using namespace callscope;
using test::has_note;
using test::LiveRun;
using test::TargetRun;

namespace {

const std::vector<std::string> kPatterns{"libt_plugin.so:plugin_*", "main"};

void check_calls(const TargetRun& run, std::uint64_t work) {
  CHECK(run.status == 0);
  CHECK(run.truth.at("calls plugin_work") == work);
  CHECK(run.function("plugin_work").calls == work);
  CHECK(run.function("plugin_work").returns == work);
  CHECK(run.function("plugin_helper").calls == 2 * work);
  CHECK(run.function("plugin_helper").returns == 2 * work);
  CHECK(has_note(run.recording, "when it loaded libt_plugin.so"));
}

}  // namespace

TEST_CASE("functions of a library that is loaded later are counted from the first call on",
          "[bpf][long][multi]") {
  LiveRun live({"t_dlopen", test::target_path("libt_plugin.so")}, {}, kPatterns);
  live.send("load\n");
  live.wait_for("loaded");
  live.send("call 7\n");
  live.wait_for("called");
  live.send("call 1000\nquit\n");
  check_calls(live.finish(), 1007);
}

TEST_CASE("a library that comes back is counted on, another one in its place is not",
          "[bpf][long][multi]") {
  LiveRun live({"t_dlopen", test::target_path("libt_plugin.so")}, {}, kPatterns);
  const auto tell = [&](const std::string& command, const std::string& answer) {
    live.send(command + "\n");
    live.wait_for(answer);
  };
  tell("load", "loaded");
  tell("call 5", "called");
  tell("unload", "unloaded");
  tell("load " + test::target_path("libt_plugin_other.so"), "loaded");
  tell("call 11", "called");
  tell("unload", "unloaded");
  tell("load", "loaded");
  tell("call 3", "called");
  live.send("quit\n");
  const TargetRun run = live.finish();
  CHECK(run.status == 0);
  CHECK(run.truth.at("calls plugin_work") == 19);
  CHECK(run.function("plugin_work").calls == 8);
  CHECK(run.function("plugin_work").returns == 8);
  CHECK(run.function("plugin_helper").calls == 16);
}

TEST_CASE("calls between the load and the probes are missing, and that is said",
          "[bpf][long][multi]") {
  LiveRun live({"t_dlopen", test::target_path("libt_plugin.so")}, {}, kPatterns);
  live.send("load\ncall 9\n");  // nobody waits for the probes
  live.wait_for("called");
  live.send("call 100\nquit\n");
  const TargetRun run = live.finish();
  CHECK(run.status == 0);
  const FunctionStats& work = run.function("plugin_work");
  CHECK(work.calls >= 100);
  CHECK(work.calls <= run.truth.at("calls plugin_work"));
  // Until the new code is judged no return probe is armed: those calls are counted, not timed.
  CHECK(work.returns + work.untimed == work.calls);
  CHECK(work.returns >= 100);
  CHECK(has_note(run.recording, "when it loaded libt_plugin.so"));
}

TEST_CASE("slow calls of a library that is loaded later are logged", "[bpf][long][multi]") {
  const Result<SlowRule> rule = SlowRule::parse("libt_plugin.so:plugin_work>1ns");
  REQUIRE(rule);
  RecordOptions options;
  options.slow_rules.push_back(*rule);
  LiveRun live({"t_dlopen", test::target_path("libt_plugin.so")}, options, kPatterns);
  live.send("load\n");
  live.wait_for("loaded");
  live.send("call 20\nquit\n");
  const TargetRun run = live.finish();
  check_calls(run, 20);
  CHECK(run.recording.slow_calls.size() == 20);
}
