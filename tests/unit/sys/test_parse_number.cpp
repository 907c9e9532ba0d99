// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "sys/parse_number.hpp"

using callscope::parse_duration_ns;
using callscope::parse_number;

TEST_CASE("a number is taken only whole and in range", "[unit]") {
  CHECK(parse_number<int>("42") == 42);
  CHECK(parse_number<int>("-1") == -1);
  CHECK_FALSE(parse_number<int>("42x"));
  CHECK_FALSE(parse_number<int>(""));
  CHECK_FALSE(parse_number<int>(" 1"));
  CHECK_FALSE(parse_number<unsigned>("-1"));
  CHECK_FALSE(parse_number<int>("99999999999"));
  CHECK_FALSE(parse_number<int>("11", 0, 10));
  CHECK(parse_number<std::uint64_t>("ff", 0, 1000, 16) == 255);
}

TEST_CASE("durations carry their unit, bare numbers are seconds", "[unit]") {
  CHECK(parse_duration_ns("10") == 10'000'000'000U);
  CHECK(parse_duration_ns("1.5s") == 1'500'000'000U);
  CHECK(parse_duration_ns("500ms") == 500'000'000U);
  CHECK(parse_duration_ns("20us") == 20'000U);
  CHECK(parse_duration_ns("7ns") == 7U);
  CHECK(parse_duration_ns("2m") == 120'000'000'000U);
  CHECK_FALSE(parse_duration_ns("10 s"));
  CHECK_FALSE(parse_duration_ns("-1s"));
  CHECK_FALSE(parse_duration_ns("s"));
  CHECK_FALSE(parse_duration_ns("nan"));
  CHECK_FALSE(parse_duration_ns("1e3"));
  CHECK_FALSE(parse_duration_ns("99999999999h"));
}
