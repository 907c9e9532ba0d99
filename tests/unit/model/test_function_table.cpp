// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "callscope/abi/histogram.h"
#include "model/function_table.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::function_sort_keys;
using callscope::function_table;
using callscope::FunctionRow;
using callscope::FunctionStats;
using callscope::Recording;
using callscope::test::sample_recording;

namespace {

FunctionStats function(const std::string& name, std::uint64_t calls, std::uint64_t each_ns) {
  FunctionStats f;
  f.name = name;
  f.calls = calls;
  f.returns = each_ns == 0 ? 0 : calls;
  f.untimed = calls - f.returns;
  f.sum_ns = f.total_ns = calls * each_ns;
  f.self_ns = f.total_ns / (1 + name.size());
  f.min_ns = f.max_ns = each_ns;
  if (each_ns > 0) f.histogram = {{cs_hist_slot(each_ns), calls}};
  return f;
}

FunctionRow row_of(const Recording& recording, const std::string& name) {
  for (const FunctionRow& row : function_table(recording, "name")) {
    if (row.stats->name == name) return row;
  }
  FAIL("no row " << name);
  return {};
}

std::string entry_only_name() { return callscope::test::sample_entry_only_function().name; }

std::vector<std::string> order(const Recording& recording, std::string_view key) {
  std::vector<std::string> names;
  for (const FunctionRow& row : function_table(recording, key)) names.push_back(row.stats->name);
  return names;
}

}  // namespace

TEST_CASE("a row has averages over returned calls and percentiles", "[unit]") {
  const Recording recording = sample_recording();
  const FunctionRow row = row_of(recording, "getCommand");
  CHECK(row.avg_ns == 1'994'000 / 997);
  CHECK(row.total_ns == 1'994'000);
  CHECK(row.self_ns == 1'200'000);
  CHECK(row.min_ns == 900);
  CHECK(row.max_ns == 61'000);
  CHECK(row.p50_ns == 911);      // slot 108 is 896..927
  CHECK(row.p90_ns == 2111);     // slot 128 is 2048..2175
  CHECK(row.p99_ns == 8447);     // rank 988 of 997, slot 160 is 8192..8703
  CHECK(row.p999_ns == 61'000);  // the last rank: exact
  CHECK(row.costly);
  CHECK_FALSE(row.estimated_total_ns);
}

TEST_CASE("total and self are split into running, waiting for a CPU and blocked", "[unit]") {
  Recording recording = sample_recording();
  const FunctionRow row = row_of(recording, "getCommand");
  REQUIRE(row.total_split);
  CHECK(row.total_split->blocked_ns == 500'000);
  CHECK(row.total_split->runq_ns == 94'000);
  CHECK(row.total_split->on_cpu_ns == 1'994'000 - 500'000 - 94'000);
  REQUIRE(row.self_split);
  CHECK(row.self_split->on_cpu_ns == 1'200'000 - 300'000 - 60'000);

  recording.functions[0].blocked_ns = ~std::uint64_t{0} / 2;  // more than there is: never negative
  CHECK(row_of(recording, "getCommand").total_split->on_cpu_ns == 0);
  recording.off_cpu_split = false;
  CHECK_FALSE(row_of(recording, "getCommand").total_split);
  CHECK_FALSE(row_of(recording, "getCommand").self_split);
}

TEST_CASE("the average of sampled calls is over those that they stand for", "[unit]") {
  const Recording recording = sample_recording();
  const FunctionRow row = row_of(recording, "setCommand");
  CHECK(row.avg_ns == 1'990'000 / 7960);
  CHECK(row.p50_ns == 113);  // slot 60 is 112..115
}

TEST_CASE("calls that never returned are a share of those that were watched", "[unit]") {
  const Recording recording = sample_recording();
  CHECK(row_of(recording, "setCommand").unwound_share == Approx(10 / 2000.0));
  CHECK(row_of(recording, "setCommand").threw_share == Approx(8 / 2000.0));
  CHECK_FALSE(row_of(recording, entry_only_name()).unwound_share);
}

TEST_CASE("times are absent when no call was timed", "[unit]") {
  const Recording recording = sample_recording();
  const FunctionRow row = row_of(recording, entry_only_name());
  CHECK_FALSE(row.total_ns);
  CHECK_FALSE(row.self_ns);
  CHECK_FALSE(row.avg_ns);
  CHECK_FALSE(row.min_ns);
  CHECK_FALSE(row.max_ns);
  CHECK_FALSE(row.p50_ns);
  CHECK_FALSE(row.p999_ns);
  CHECK_FALSE(row.total_split);
  CHECK_FALSE(row.costly);
}

TEST_CASE("functions that nobody timed have an estimate from the CPU samples", "[unit]") {
  Recording recording = sample_recording();
  recording.functions[1].module = 0;
  recording.functions[1].addr = 0xff0;  // main: in 300 + 11 + 120 + 40 + 24 samples, a leaf in none
  recording.functions[1].size_bytes = 0x20;
  const FunctionRow row = row_of(recording, entry_only_name());
  CHECK(row.estimated_total_ns == std::uint64_t{495'000'000'000} / 99);
  CHECK(row.estimated_self_ns ==
        std::uint64_t{40'000'000'000} / 99);  // the others lie in getCommand
  recording.sample_hz = 0;
  CHECK_FALSE(row_of(recording, entry_only_name()).estimated_total_ns);
  recording.sample_hz = 99;
  recording.functions[1].calls = 0;
  CHECK_FALSE(row_of(recording, entry_only_name()).estimated_total_ns);
}

TEST_CASE("the probes' time is by kind of call", "[unit]") {
  const Recording recording = sample_recording();
  CHECK(row_of(recording, "getCommand").probe_time_ns == 999 * 1450 + 280);
  CHECK(row_of(recording, "setCommand").probe_time_ns == 2000 * 1100 + 6000 * 280);
  CHECK(row_of(recording, entry_only_name()).probe_time_ns == 250 * 800);
}

TEST_CASE("a row is costly when the probes take more than a fifth of the average", "[unit]") {
  Recording recording;
  recording.functions = {function("f", 10, 10'000)};
  recording.functions[0].probe_cost_ns = 2000;
  CHECK_FALSE(row_of(recording, "f").costly);
  recording.functions[0].probe_cost_ns = 2001;
  CHECK(row_of(recording, "f").costly);
}

TEST_CASE("functions sort by any key from high to low, absent times last, names up", "[unit]") {
  Recording recording;
  recording.functions = {function("slow", 10, 9000), function("untimed", 500, 0),
                         function("often", 1000, 300), function("rare", 1, 20'000)};
  CHECK(order(recording, "total") == std::vector<std::string>{"often", "slow", "rare", "untimed"});
  CHECK(order(recording, "self") == std::vector<std::string>{"often", "slow", "rare", "untimed"});
  CHECK(order(recording, "calls") == std::vector<std::string>{"often", "untimed", "slow", "rare"});
  for (const auto* key : {"avg", "min", "max", "p50", "p90", "p95", "p99", "p99.9"}) {
    CHECK(order(recording, key) == std::vector<std::string>{"rare", "slow", "often", "untimed"});
  }
  CHECK(order(recording, "name") == std::vector<std::string>{"often", "rare", "slow", "untimed"});
  recording.functions[0].blocked_ns = 10;
  recording.functions[2].blocked_ns = 100'000;
  recording.functions[2].threw = 2;
  CHECK(order(recording, "blocked") ==
        std::vector<std::string>{"often", "slow", "rare", "untimed"});
  CHECK(order(recording, "threw").front() == "often");
  CHECK(order(recording, "oncpu").back() == "untimed");
  CHECK(order(recording, "no such key") == order(recording, "total"));
}

TEST_CASE("ties are broken by name, module and address, whatever the order was", "[unit]") {
  Recording recording;
  for (const auto& [name, addr] : {std::pair{"b", 1}, {"a", 2}, {"a", 1}}) {
    recording.functions.push_back(function(name, 5, 100));
    recording.functions.back().self_ns = 1;
    recording.functions.back().addr = static_cast<std::uint64_t>(addr);
  }
  for (const std::string_view key : function_sort_keys()) {
    const std::vector<FunctionRow> rows = function_table(recording, key);
    CHECK(rows[0].stats->name == "a");
    CHECK(rows[0].stats->addr == 1);
    CHECK(rows[1].stats->addr == 2);
    CHECK(rows[2].stats->name == "b");
  }
}

TEST_CASE("with perf-event uprobes nobody knows whether a call threw", "[unit]") {
  Recording recording;
  recording.functions.push_back(function("f", 5, 100));
  recording.functions.back().unwound = 5;
  recording.probe_mechanism = "uprobe_multi";
  CHECK(function_table(recording, "total")[0].threw == 0U);
  recording.probe_mechanism = "perf-event uprobe";
  const FunctionRow row = function_table(recording, "total")[0];
  CHECK_FALSE(row.threw);
  CHECK_FALSE(row.threw_share);
  CHECK(row.unwound_share);
}
