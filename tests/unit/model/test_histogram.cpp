// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <random>

#include "callscope/abi/histogram.h"
#include "model/histogram.hpp"

using callscope::histogram_count;
using callscope::histogram_slot_middle_ns;
using callscope::HistogramSlot;
using callscope::merge_histograms;
using callscope::percentile_ns;

namespace {

std::vector<HistogramSlot> histogram_of(const std::vector<std::uint64_t>& values) {
  std::map<std::uint32_t, std::uint64_t> slots;
  for (const std::uint64_t value : values) ++slots[cs_hist_slot(value)];
  return {slots.begin(), slots.end()};
}

// Nearest rank by sorting: the oracle.
std::uint64_t exact_percentile(std::vector<std::uint64_t> values, double p) {
  std::ranges::sort(values);
  const auto rank =
      static_cast<std::size_t>(std::ceil(p * static_cast<double>(values.size()) - 1e-9));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

void check_against_sort(const std::vector<std::uint64_t>& values) {
  const auto [low, high] = std::ranges::minmax(values);
  const std::vector<HistogramSlot> slots = histogram_of(values);
  REQUIRE(histogram_count(slots) == values.size());
  for (const double p : {0.001, 0.01, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    const auto exact = static_cast<double>(exact_percentile(values, p));
    const std::optional<std::uint64_t> estimate = percentile_ns(slots, p, low, high);
    REQUIRE(estimate);
    INFO("p " << p << " of " << values.size() << " values: " << *estimate << " for " << exact);
    CHECK(std::abs(static_cast<double>(*estimate) - exact) <= 0.05 * exact);
  }
}

}  // namespace

TEST_CASE("percentiles are within 5 percent of a sort of the same samples", "[unit]") {
  std::mt19937_64 random(20240607);
  std::lognormal_distribution<double> latency(9, 2.5);
  std::uniform_int_distribution<std::uint64_t> flat(1, 1'000'000'000);
  std::uniform_real_distribution<double> exponent(0, 39.9);
  for (const std::size_t size : {1U, 2U, 3U, 10U, 999U, 20'000U}) {
    std::vector<std::uint64_t> values;
    for (std::size_t i = 0; i < size; ++i) {
      values.push_back(static_cast<std::uint64_t>(latency(random)) + 1);
    }
    check_against_sort(values);
    for (std::uint64_t& value : values) value = flat(random);
    check_against_sort(values);
    for (std::uint64_t& value : values) {
      value = static_cast<std::uint64_t>(std::exp2(exponent(random)));
    }
    check_against_sort(values);
  }
}

TEST_CASE("percentiles of equal values are that value", "[unit]") {
  const std::vector<HistogramSlot> slots =
      histogram_of(std::vector<std::uint64_t>(1000, 1'234'567));
  for (const double p : {0.01, 0.5, 0.999, 1.0}) {
    CHECK(percentile_ns(slots, p, 1'234'567, 1'234'567) == 1'234'567);
  }
}

TEST_CASE("the rank of a percentile does not suffer from binary fractions", "[unit]") {
  // 0.9 * 10 is a little above 9 in binary; the ninth of ten values is meant.
  const std::vector<HistogramSlot> slots = histogram_of({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(percentile_ns(slots, 0.9, 1, 10) == 9);
  CHECK(percentile_ns(slots, 0.1, 1, 10) == 1);
  CHECK(percentile_ns(slots, 0.11, 1, 10) == 2);
  CHECK(percentile_ns(slots, 1.0, 1, 10) == 10);
}

TEST_CASE("no percentile without values or outside of (0, 1]", "[unit]") {
  CHECK_FALSE(percentile_ns({}, 0.5, 0, 0));
  const std::vector<HistogramSlot> one = {{3, 1}};
  CHECK_FALSE(percentile_ns(one, 0.0, 3, 3));
  CHECK_FALSE(percentile_ns(one, 1.01, 3, 3));
  CHECK_FALSE(percentile_ns(one, std::nan(""), 3, 3));
  CHECK_FALSE(percentile_ns(one, 0.5, 4, 3));
}

TEST_CASE("values beyond the histogram stay within the measured minimum and maximum", "[unit]") {
  const std::uint64_t huge = std::uint64_t{1} << 45;
  const std::vector<HistogramSlot> slots = histogram_of({huge, huge + 5, huge + 9});
  CHECK(percentile_ns(slots, 0.5, huge, huge + 9) == huge);
  CHECK(percentile_ns(slots, 1.0, huge, huge + 9) == huge + 9);
}

TEST_CASE("the middle of each slot lies in the slot", "[unit]") {
  for (std::uint32_t slot = 0; slot < CS_HIST_SLOTS; ++slot) {
    CHECK(cs_hist_slot(histogram_slot_middle_ns(slot)) == slot);
  }
}

TEST_CASE("merging histograms equals the histogram of all values", "[unit]") {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::uint64_t> flat(0, 100'000);
  std::vector<std::uint64_t> a;
  std::vector<std::uint64_t> b;
  for (int i = 0; i < 500; ++i) a.push_back(flat(random));
  for (int i = 0; i < 300; ++i) b.push_back(flat(random) / 7);
  std::vector<std::uint64_t> all = a;
  all.insert(all.end(), b.begin(), b.end());
  CHECK(merge_histograms(histogram_of(a), histogram_of(b)) == histogram_of(all));
  CHECK(merge_histograms(histogram_of(a), {}) == histogram_of(a));
  CHECK(merge_histograms({}, {}).empty());
}
