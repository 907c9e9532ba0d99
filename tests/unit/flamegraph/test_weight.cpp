// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "flamegraph/weight.hpp"

using callscope::format_count;
using callscope::format_share;
using callscope::format_weight;

TEST_CASE("counts are grouped by thousands and named by their unit", "[unit]") {
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(1000) == "1,000");
  CHECK(format_count(18446744073709551615U) == "18,446,744,073,709,551,615");
  CHECK(format_weight(1234, "samples") == "1,234 samples");
  CHECK(format_weight(1, "samples") == "1 sample");
  CHECK(format_weight(12, "") == "12");
}

TEST_CASE("times and sizes have a scale and three digits", "[unit]") {
  CHECK(format_weight(999, "ns") == "999 ns");
  CHECK(format_weight(1500, "ns") == "1.50 \u00b5s");
  CHECK(format_weight(12'345'678, "ns") == "12.3 ms");
  CHECK(format_weight(83'200'000'000, "ns") == "83.2 s");
  CHECK(format_weight(2500, "us") == "2.50 ms");
  CHECK(format_weight(90, "s") == "90.0 s");
  CHECK(format_weight(0, "ns") == "0 ns");
  CHECK(format_weight(1023, "bytes") == "1023 B");
  CHECK(format_weight(1536, "bytes") == "1.50 KiB");
  CHECK(format_weight(734'003'200, "bytes") == "700 MiB");
}

TEST_CASE("shares are percentages that never hide a tiny part", "[unit]") {
  CHECK(format_share(0, 10) == "0 %");
  CHECK(format_share(5, 0) == "0 %");
  CHECK(format_share(1, 3) == "33.33 %");
  CHECK(format_share(10, 10) == "100.00 %");
  CHECK(format_share(1, 1'000'000) == "< 0.01 %");
}
