// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "report/renderer.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::Recording;
using callscope::render_json;
using callscope::test::sample_recording;
using nlohmann::json;

TEST_CASE("the json report has the promised members with their values", "[unit]") {
  const json report = json::parse(render_json(sample_recording(), {}));
  CHECK(report["schema"] == "callscope.report/1");
  CHECK(report["target"]["pid"] == 4242);
  const json& function = report["functions"][0];
  CHECK(function["name"] == "getCommand");
  CHECK(function["module"] == "/usr/bin/redis-server");
  CHECK(function["calls"] == 1000);
  CHECK(function["returns"] == 997);
  CHECK(function["avg_ns"] == 2000);
  CHECK(function["p50_ns"] == 911);
  CHECK(function["p999_ns"] == 61000);
  CHECK(function["exit"] == "uretprobe");
  CHECK(function["probe_cost_ns"] == 1450);
  const json& cpu = report["cpu"];
  CHECK(cpu["hz"] == 99);
  CHECK(cpu["samples"] == 495);
  CHECK(cpu["stacks"][0]["count"] == 311);
  CHECK(cpu["stacks"][0]["frames"] ==
        json({"_start", "__libc_start_call_main", "main", "getCommand"}));
  CHECK(report["resources"]["snapshots"].size() == 6);
  CHECK(report["resources"]["snapshots"][5]["rss_bytes"] == 15 << 20);
  CHECK(report["quality"]["complete"] == true);
}

TEST_CASE("times that nobody measured are null, not zero", "[unit]") {
  const json report = json::parse(render_json(sample_recording(), {}));
  const json& function = report["functions"][2];
  CHECK(function["untimed"] == 250);
  CHECK(function["exit"] == "entry-only");
  for (const char* const key :
       {"total_ns", "self_ns", "avg_ns", "min_ns", "max_ns", "p50_ns", "p90_ns", "p95_ns", "p99_ns",
        "p999_ns", "on_cpu_ns", "runq_ns", "blocked_ns", "self_blocked_ns", "untimed_ns",
        "site_addr", "entry_class"}) {
    CHECK(function[key].is_null());
  }
  CHECK(function["estimated_total_ns"] == 0);
  CHECK(report["functions"][0]["estimated_total_ns"].is_null());
}

TEST_CASE("the json report has calls in context", "[unit]") {
  const json report = json::parse(render_json(sample_recording(), {}));
  const json& function = report["functions"][0];
  CHECK(function["id"] == 0);
  CHECK(function["on_cpu_ns"] == 1'400'000);
  CHECK(function["blocked_ns"] == 500'000);
  CHECK(function["self_runq_ns"] == 60'000);
  CHECK(function["threw"] == 1);
  CHECK(function["unwound_share"] == Approx(1 / 998.0));
  CHECK(function["entry_class"] == "emulated");
  CHECK(function["exit_class"].is_null());
  CHECK(function["callers"].size() == 3);
  CHECK(function["callers"][0]["id"].is_null());
  CHECK(function["callers"][1]["name"] == "setCommand");
  CHECK(report["functions"][1]["sample_every"] == 4);
  CHECK(report["functions"][1]["attached_ns"] == 400'000'000U);
  CHECK(report["functions"][1]["detached_ns"] == 4'300'000'000U);
  CHECK(report["call_tree"].size() == 5);
  CHECK(report["call_tree"][1]["parent"] == 0);
  CHECK(report["call_tree"][0]["parent"].is_null());
  CHECK(report["slow_calls"][0]["args"] == json({"0x7f00deadbeef", nullptr, "0xffffffffffffffff"}));
  CHECK(report["slow_calls"][0]["on_cpu_ns"] == 10'000);
  CHECK(report["slow_calls"][0]["stack"].back() == "getCommand");
  CHECK(report["slow_calls"][1]["stack"].is_null());
  CHECK(report["latency_columns"][0]["histogram"][0] == json({896, 300}));
  CHECK(report["probe_costs"]["stepped_entry_ns"] == 4200);
  CHECK(report["budget_percent"] == 5.5);
  CHECK(report["processes"][1]["parent_pid"] == 4242);
  CHECK(report["cpu"]["slow_samples"] == 35);
}

TEST_CASE("64-bit values keep every digit", "[unit]") {
  Recording recording = sample_recording();
  recording.functions[0].calls = 0xFFFFFFFFFFFFFFFFU;
  const json report = json::parse(render_json(recording, {}));
  CHECK(report["functions"][0]["calls"].get<std::uint64_t>() == 0xFFFFFFFFFFFFFFFFU);
  CHECK(report["functions"][2]["addr"].get<std::uint64_t>() == 0xffffffff81000000U);
}

TEST_CASE("bytes that are not UTF-8 still give valid json", "[unit]") {
  Recording recording = sample_recording();
  recording.target.comm = "bad\xff";
  recording.functions[0].name = "\xc3(";
  const json report = json::parse(render_json(recording, {}));
  CHECK(report["target"]["comm"] == "bad\xef\xbf\xbd");
}

TEST_CASE("losses make the json report incomplete", "[unit]") {
  Recording recording = sample_recording();
  recording.quality[0].value = 1;
  CHECK(json::parse(render_json(recording, {}))["quality"]["complete"] == false);
}
