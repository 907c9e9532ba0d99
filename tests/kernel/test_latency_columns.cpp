// SPDX-License-Identifier: Apache-2.0
// Latency over time: which second of the recording calls are put into.
#include <catch2/catch.hpp>
#include <map>

#include "live_run.hpp"

using namespace callscope;

TEST_CASE("calls stand in the second that they returned in", "[bpf][long][multi]") {
  test::LiveRun live({"t_dlopen", test::target_path("libt_plugin.so")}, {},
                     {"libt_plugin.so:plugin_work", "main"});
  const auto call = [&](const std::string& times) {
    live.send("call " + times + "\n");
    live.wait_for("called");
  };
  constexpr std::uint64_t kSecond = 1'000'000'000;
  live.send("load\n");
  live.wait_for("loaded");
  call("9");
  live.serve_for(kSecond + kSecond / 5);
  call("5");
  live.serve_for(2 * kSecond);
  live.send("quit\n");
  const test::TargetRun run = live.finish();
  std::map<std::uint32_t, std::uint64_t> calls;  // by second
  for (const LatencyColumn& column : run.recording.latency_columns)
    if (run.recording.functions[column.function].name == "plugin_work")
      for (const auto& [slot, count] : column.histogram) calls[column.second] += count;
  CHECK(calls == std::map<std::uint32_t, std::uint64_t>{{0, 9}, {1, 5}});
}
