// SPDX-License-Identifier: Apache-2.0
#include "report/json_spans.hpp"

#include <cstdint>
#include <optional>

#include "callscope/abi/histogram.h"
#include "model/histogram.hpp"

namespace callscope {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(std::optional<std::uint64_t> value) { return value ? Json(*value) : Json(nullptr); }

Json histogram_json(const SpanStats& span) {
  Json slots = Json::array();
  for (const auto& [slot, count] : span.histogram)
    slots.push_back({{"low_ns", cs_hist_slot_low(slot)},
                     {"high_ns", cs_hist_slot_low(slot + 1)},
                     {"count", count}});
  return slots;
}

Json span_json(const SpanStats& span) {
  const bool timed = span.finished > 0;
  const auto when_timed = [&](std::uint64_t value) {
    return or_null(timed ? std::optional(value) : std::nullopt);
  };
  const auto percentile = [&](double p) {
    return or_null(percentile_ns(span.histogram, p, span.min_ns, span.max_ns));
  };
  const bool marker = span.to.empty();
  return {{"name", span.name},
          {"from", span.from},
          {"to", marker ? Json(nullptr) : Json(span.to)},
          {"keyed_by", marker ? Json(nullptr) : Json(span.keyed_by)},
          {"begun", span.begun},
          {"finished", span.finished},
          {"restarted", span.restarted},
          {"unmatched", span.unmatched},
          {"open", span.open},
          {"abandoned", span.abandoned},
          {"lost", span.lost},
          {"sum_ns", when_timed(span.sum_ns)},
          {"avg_ns", when_timed(timed ? span.sum_ns / span.finished : 0)},
          {"min_ns", when_timed(span.min_ns)},
          {"max_ns", when_timed(span.max_ns)},
          {"p50_ns", percentile(0.5)},
          {"p90_ns", percentile(0.9)},
          {"p95_ns", percentile(0.95)},
          {"p99_ns", percentile(0.99)},
          {"p999_ns", percentile(0.999)},
          {"histogram", histogram_json(span)}};
}

}  // namespace

Json spans_json(const Recording& recording) {
  Json spans = Json::array();
  for (const SpanStats& span : recording.spans) spans.push_back(span_json(span));
  return spans;
}

}  // namespace callscope
