// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "callscope/abi/histogram.h"
#include "model/function_table.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::function_sort_keys;
using callscope::function_table;
using callscope::FunctionRow;
using callscope::FunctionStats;
using callscope::make_function_row;
using callscope::Recording;

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

std::vector<std::string> order(const Recording& recording, std::string_view key) {
  std::vector<std::string> names;
  for (const FunctionRow& row : function_table(recording, key)) names.push_back(row.stats->name);
  return names;
}

}  // namespace

TEST_CASE("a row has averages over returned calls and percentiles", "[unit]") {
  const FunctionStats f = callscope::test::sample_timed_function();
  const FunctionRow row = make_function_row(f);
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
}

TEST_CASE("times are absent when no call was timed", "[unit]") {
  const FunctionStats entry_only = callscope::test::sample_entry_only_function();
  const FunctionRow row = make_function_row(entry_only);
  CHECK_FALSE(row.total_ns);
  CHECK_FALSE(row.self_ns);
  CHECK_FALSE(row.avg_ns);
  CHECK_FALSE(row.min_ns);
  CHECK_FALSE(row.max_ns);
  CHECK_FALSE(row.p50_ns);
  CHECK_FALSE(row.p999_ns);
  CHECK_FALSE(row.costly);
}

TEST_CASE("a row is costly when the probes take more than a fifth of the average", "[unit]") {
  FunctionStats f = function("f", 10, 10'000);
  f.probe_cost_ns = 2000;
  CHECK_FALSE(make_function_row(f).costly);
  f.probe_cost_ns = 2001;
  CHECK(make_function_row(f).costly);
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
