// SPDX-License-Identifier: Apache-2.0
// Spans for sample_recording(): one of each kind, every field with a value of its own.
#pragma once

#include <vector>

#include "callscope/recording.hpp"

namespace callscope::test {

inline std::vector<SpanStats> sample_spans() {
  SpanStats job;
  job.name = "job";
  job.from = "enqueue";
  job.to = "usdt:queue:finish";
  job.keyed_by = "arg1";
  job.begun = 1021;
  job.finished = 1000;
  job.restarted = 2;
  job.unmatched = 3;
  job.open = 4;
  job.abandoned = 7;
  job.lost = 8;
  job.sum_ns = 5'000'000;
  job.min_ns = 1000;
  job.max_ns = 70'000;
  job.histogram = {{112, 600}, {150, 390}, {198, 10}};
  SpanStats hits;
  hits.name = "python:line";
  hits.from = "usdt:python:line";
  hits.begun = 77;
  SpanStats own;
  own.name = "parse\x1b[1m";
  own.from = "usdt:callscope:span_begin";
  own.to = "usdt:callscope:span_end";
  own.keyed_by = "object";
  own.begun = 5;
  own.open = 5;
  return {job, hits, own};
}

}  // namespace callscope::test
