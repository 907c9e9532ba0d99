// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "report/renderer.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::Recording;
using callscope::render_flame_graph;
using callscope::test::sample_recording;

namespace {

bool has(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("the flame graph names target, rate, duration and samples, and every function",
          "[unit]") {
  const std::string svg = render_flame_graph(sample_recording(), {});
  CHECK(has(svg, "callscope: redis-server (4242) - on-CPU, 99 Hz, 5.0 s, 495 samples"));
  for (const auto* const name : {"getCommand", "tcp_sendmsg", "main", "[libc.so.6+0x1234]"}) {
    CHECK(has(svg, name));
  }
  CHECK_FALSE(has(svg, "INCOMPLETE"));
}

TEST_CASE("the flame graph says when it is empty or incomplete", "[unit]") {
  CHECK(has(render_flame_graph(Recording{}, {}), "No CPU samples"));
  Recording recording = sample_recording();
  recording.quality[0].value = 2;
  CHECK(has(render_flame_graph(recording, {}), "INCOMPLETE: ring_full = 2"));
}

TEST_CASE("a flame graph of call time says so, in time", "[unit]") {
  callscope::ReportOptions options;
  options.weight = callscope::StackWeight::kLatency;
  const std::string svg = render_flame_graph(sample_recording(), options);
  CHECK(has(svg,
            "callscope: redis-server (4242) - time in probed functions, on and off CPU, 2.50ms"));
  CHECK(has(svg, "2.50 ms \u00b7"));
  CHECK(has(svg, "Widths are exact call times"));
  CHECK(has(svg, "bio_close_file"));  // calls were kept by thread
  CHECK_FALSE(has(svg, "tcp_sendmsg"));
  CHECK(has(render_flame_graph(Recording{}, options), "No probed call was timed."));
}

TEST_CASE("a flame graph of slow calls has their samples only", "[unit]") {
  callscope::ReportOptions options;
  options.samples = callscope::SampleSet::kSlow;
  const std::string svg = render_flame_graph(sample_recording(), options);
  CHECK(has(svg, "on-CPU inside 3 slow calls, 99 Hz, 5.0 s, 35 samples"));
  CHECK_FALSE(has(svg, "lua: loop"));
}
