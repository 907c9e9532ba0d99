// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>

#include "model/quality.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::incompleteness;
using callscope::quality_items;
using callscope::QualityItem;
using callscope::Recording;
using callscope::unmatched_returns;
using callscope::test::sample_recording;

namespace {

std::optional<std::uint64_t> value_of(const Recording& recording, const std::string& key) {
  const std::vector<QualityItem> items = quality_items(recording);
  const auto found = std::ranges::find(items, key, &QualityItem::key);
  if (found == items.end()) return std::nullopt;
  return found->value;
}

}  // namespace

TEST_CASE("a recording is complete when no loss item is above zero", "[unit]") {
  Recording recording = sample_recording();
  CHECK(incompleteness(quality_items(recording)).empty());
  recording.quality[2].value = 1'000'000;  // idle samples: counted, no loss
  CHECK(incompleteness(quality_items(recording)).empty());
  recording.quality[0].value = 3;
  const std::vector<std::string> reasons = incompleteness(quality_items(recording));
  REQUIRE(reasons.size() == 1);
  CHECK(reasons[0] == "ring_full = 3: events lost because the ring buffer was full");
}

TEST_CASE("a recording that was not finished is incomplete", "[unit]") {
  Recording recording = sample_recording();
  recording.finished = false;
  CHECK(value_of(recording, "unfinished") == 1);
  CHECK(incompleteness(quality_items(recording)).size() == 1);
}

TEST_CASE("calls whose end is unknown make it incomplete, in either direction", "[unit]") {
  Recording recording = sample_recording();
  CHECK(unmatched_returns(recording) == 0);
  recording.functions[0].calls += 2;
  recording.functions[1].untimed += 3;
  CHECK(unmatched_returns(recording) == 5);
  CHECK(value_of(recording, "unmatched_returns") == 5);
  CHECK(incompleteness(quality_items(recording)).size() == 1);
}

TEST_CASE("shares of bad samples are shown but are no loss", "[unit]") {
  CHECK(value_of(sample_recording(), "truncated_samples") == 40);
  CHECK(value_of(sample_recording(), "unresolved_samples") == 40);
}

TEST_CASE("an item of the recorder wins over the derived one", "[unit]") {
  Recording recording = sample_recording();
  recording.quality.push_back({"truncated_samples", 7, false, "counted in the kernel"});
  CHECK(value_of(recording, "truncated_samples") == 7);
}
