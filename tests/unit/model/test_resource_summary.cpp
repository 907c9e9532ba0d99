// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>

#include "model/resource_summary.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::GaugeSummary;
using callscope::growth_per_minute;
using callscope::RateSummary;
using callscope::ResourceSnapshot;
using callscope::ResourceSummary;
using callscope::summarize_resources;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

std::vector<ResourceSnapshot> rss_over_time(const std::vector<std::uint64_t>& values) {
  std::vector<ResourceSnapshot> snapshots;
  for (const std::uint64_t value : values) {
    ResourceSnapshot s;
    s.t_ns = snapshots.size() * kSecond;
    s.rss_bytes = value;
    snapshots.push_back(s);
  }
  return snapshots;
}

std::optional<double> growth(const std::vector<ResourceSnapshot>& snapshots) {
  return growth_per_minute(snapshots, &ResourceSnapshot::rss_bytes);
}

}  // namespace

TEST_CASE("ranges, growth, rates and CPU use follow from the snapshots", "[unit]") {
  const ResourceSummary summary =
      summarize_resources(callscope::test::sample_recording().snapshots);
  CHECK(summary.span_ns == 5 * kSecond);
  const auto rss = std::ranges::find(summary.gauges, "rss_bytes", &GaugeSummary::name);
  REQUIRE(rss != summary.gauges.end());
  CHECK(rss->first == 10U << 20);
  CHECK(rss->last == 15U << 20);
  CHECK(rss->min == 10U << 20);
  CHECK(rss->max == 15U << 20);
  CHECK(rss->per_minute.value() == Approx(60.0 * (1 << 20)));
  const auto threads = std::ranges::find(summary.gauges, "threads", &GaugeSummary::name);
  CHECK(threads->per_minute.value() == 0);
  const auto faults = std::ranges::find(summary.rates, "minor_faults", &RateSummary::name);
  REQUIRE(faults != summary.rates.end());
  CHECK(faults->count == 35);
  CHECK(faults->per_second.value() == Approx(7));
  CHECK(summary.cpu_user.value() == Approx(0.5));
  CHECK(summary.cpu_system.value() == Approx(0.1));
}

TEST_CASE("growth is exact on a line, down as well as up", "[unit]") {
  CHECK(growth(rss_over_time({100, 110, 120, 130})).value() == Approx(600));
  CHECK(growth(rss_over_time({130, 120, 110, 100})).value() == Approx(-600));
  CHECK(growth(rss_over_time({5, 5, 5})).value() == 0);
}

TEST_CASE("growth is not bent by a warm-up or by a spike", "[unit]") {
  std::vector<std::uint64_t> values = {0, 400};  // allocates at the start, then leaks 1 a second
  for (std::uint64_t i = 0; i < 60; ++i) values.push_back(1000 + i);
  CHECK(growth(rss_over_time(values)).value() == Approx(60).epsilon(0.02));
  values[30] = 1'000'000;
  CHECK(growth(rss_over_time(values)).value() == Approx(60).epsilon(0.02));
}

TEST_CASE("growth does not depend on how many snapshots there are", "[unit]") {
  std::vector<std::uint64_t> values;
  for (std::uint64_t i = 0; i < 5000; ++i) values.push_back(7 * i);
  CHECK(growth(rss_over_time(values)).value() == Approx(420));
  std::vector<ResourceSnapshot> thinned = rss_over_time(values);
  for (std::size_t i = 1; i < 1500; ++i) thinned.erase(thinned.begin() + static_cast<long>(i));
  CHECK(growth(thinned).value() == Approx(420));
}

TEST_CASE("no growth or rate without two moments in time", "[unit]") {
  CHECK(summarize_resources({}).gauges.empty());
  const ResourceSummary one = summarize_resources(rss_over_time({7}));
  CHECK(one.gauges.front().first == 7);
  CHECK_FALSE(one.gauges.front().per_minute);
  CHECK_FALSE(one.rates.front().per_second);
  CHECK_FALSE(one.cpu_user);
  std::vector<ResourceSnapshot> close = rss_over_time({1, 2});
  close[1].t_ns = kSecond - 1;
  CHECK_FALSE(growth(close));
}

TEST_CASE("a counter that went down has no rate", "[unit]") {
  std::vector<ResourceSnapshot> snapshots = rss_over_time({1, 1});
  snapshots[0].minor_faults = 100;
  snapshots[0].utime_ns = 5;
  const ResourceSummary summary = summarize_resources(snapshots);
  CHECK_FALSE(summary.rates.front().per_second);
  CHECK_FALSE(summary.cpu_user);
  CHECK(summary.cpu_system.value() == 0);
}
