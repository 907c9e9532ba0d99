// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "report/units.hpp"

using callscope::format_bytes;
using callscope::format_ns;
using callscope::format_number;
using callscope::format_percent;
using callscope::format_utc;

TEST_CASE("durations have three significant digits and the unit that fits", "[unit]") {
  CHECK(format_ns(std::uint64_t{0}) == "0ns");
  CHECK(format_ns(std::uint64_t{7}) == "7ns");
  CHECK(format_ns(std::uint64_t{999}) == "999ns");
  CHECK(format_ns(std::uint64_t{1000}) == "1.00us");
  CHECK(format_ns(std::uint64_t{1449}) == "1.45us");
  CHECK(format_ns(std::uint64_t{12'345}) == "12.3us");
  CHECK(format_ns(std::uint64_t{123'456}) == "123us");
  CHECK(format_ns(std::uint64_t{9'994}) == "9.99us");
  CHECK(format_ns(std::uint64_t{9'996}) == "10.0us");
  CHECK(format_ns(std::uint64_t{99'960}) == "100us");
  CHECK(format_ns(std::uint64_t{999'499}) == "999us");
  CHECK(format_ns(std::uint64_t{999'500}) == "1.00ms");
  CHECK(format_ns(std::uint64_t{61'000'000}) == "61.0ms");
  CHECK(format_ns(std::uint64_t{5'000'000'000}) == "5.00s");
  CHECK(format_ns(std::uint64_t{86'400'000'000'000}) == "86400s");
  CHECK(format_ns(std::optional<std::uint64_t>()) == "-");
}

TEST_CASE("sizes are in powers of 1024, with sign", "[unit]") {
  CHECK(format_bytes(0) == "0B");
  CHECK(format_bytes(1023) == "1023B");
  CHECK(format_bytes(1024) == "1.00KiB");
  CHECK(format_bytes(10.0 * (1 << 20)) == "10.0MiB");
  CHECK(format_bytes(1000.0 * (1 << 20)) == "0.98GiB");
  CHECK(format_bytes(-1280) == "-1.25KiB");
}

TEST_CASE("plain numbers stay whole when they are whole", "[unit]") {
  CHECK(format_number(0) == "0");
  CHECK(format_number(0.001) == "0");
  CHECK(format_number(60) == "60");
  CHECK(format_number(-12) == "-12");
  CHECK(format_number(1.234) == "1.23");
  CHECK(format_number(12.34) == "12.3");
  CHECK(format_number(1234.5) == "1234");
}

TEST_CASE("shares of nothing are no number", "[unit]") {
  CHECK(format_percent(1, 8) == "12.5%");
  CHECK(format_percent(0, 8) == "0.0%");
  CHECK(format_percent(0, 0) == "-");
}

TEST_CASE("wall clock times are in UTC", "[unit]") {
  CHECK(format_utc(0) == "1970-01-01 00:00:00 UTC");
  CHECK(format_utc(1'709'210'096'000'000'000U) == "2024-02-29 12:34:56 UTC");
}
