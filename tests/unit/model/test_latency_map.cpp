// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <numeric>

#include "callscope/abi/histogram.h"
#include "model/latency_map.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::latency_map;
using callscope::LatencyMap;
using callscope::Recording;
using callscope::test::sample_recording;

TEST_CASE("a map has a column a second and rows from the lowest latency to the highest", "[unit]") {
  const LatencyMap map = latency_map(sample_recording(), 0, 100, 1);
  CHECK(map.columns() == 5);
  CHECK(map.seconds_per_column == 1);
  REQUIRE(map.rows() == 7);  // slots 108 to 200: octaves 6 to 12
  CHECK(map.row_low_ns.front() == 512);
  CHECK(map.row_low_ns.back() == 65'536);
  CHECK(map.at(0, 0) == 300);
  CHECK(map.at(0, 2) == 200);
  CHECK(map.at(0, 6) == 3);
  CHECK(map.at(2, 0) == 0);
  CHECK(map.at(4, 4) == 90);
  CHECK(map.largest == 300);
  CHECK(map.sum == 997);
  CHECK(map.p50_ns[0] == 911);
  CHECK_FALSE(map.p50_ns[3]);
  CHECK(map.p99_ns[4] == callscope::histogram_slot_middle_ns(200));
}

TEST_CASE("however the grid is chosen, every call is in one cell", "[unit]") {
  const Recording recording = sample_recording();
  for (const std::size_t columns : {1U, 2U, 3U, 5U, 1000U}) {
    for (const std::uint32_t rows : {1U, 2U, 4U, 8U, 16U}) {
      const LatencyMap map = latency_map(recording, 0, columns, rows);
      CHECK(map.columns() <= columns);
      CHECK(map.counts.size() == map.columns() * map.rows());
      CHECK(std::accumulate(map.counts.begin(), map.counts.end(), std::uint64_t{0}) == 997);
    }
  }
}

TEST_CASE("a second far beyond the end makes coarse columns, not many", "[unit]") {
  Recording recording = sample_recording();
  recording.latency_columns.push_back({0, ~std::uint32_t{0}, {{CS_HIST_SLOTS - 1, 5}}});
  const LatencyMap map = latency_map(recording, 0, 60, 1);
  CHECK(map.columns() <= 60);
  CHECK(map.at(map.columns() - 1, map.rows() - 1) == 5);
  CHECK(map.row_low_ns.back() == std::uint64_t{1} << CS_HIST_MAX_BITS);
}

TEST_CASE("a function without columns has an empty map", "[unit]") {
  CHECK(latency_map(sample_recording(), 1, 60, 4).counts.empty());
  CHECK(callscope::functions_with_latency(sample_recording()) == std::vector<std::uint32_t>{0, 2});
}
