// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "report/renderer.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::Recording;
using callscope::render_flame_graph;
using callscope::test::sample_recording;

TEST_CASE("the flame graph names target, rate, duration and samples, and every function",
          "[unit]") {
  const std::string svg = render_flame_graph(sample_recording(), {});
  CHECK(svg.contains("callscope: redis-server (4242) - on-CPU, 99 Hz, 5.0 s, 495 samples"));
  for (const auto* const name : {"getCommand", "tcp_sendmsg", "main", "[libc.so.6+0x1234]"}) {
    CHECK(svg.contains(name));
  }
  CHECK_FALSE(svg.contains("INCOMPLETE"));
}

TEST_CASE("the flame graph says when it is empty or incomplete", "[unit]") {
  CHECK(render_flame_graph(Recording{}, {}).contains("No CPU samples"));
  Recording recording = sample_recording();
  recording.quality[0].value = 2;
  CHECK(render_flame_graph(recording, {}).contains("INCOMPLETE: ring_full = 2"));
}

TEST_CASE("a flame graph of call time says so, in time", "[unit]") {
  callscope::ReportOptions options;
  options.weight = callscope::StackWeight::kLatency;
  const std::string svg = render_flame_graph(sample_recording(), options);
  CHECK(svg.contains(
      "callscope: redis-server (4242) - time in probed functions, on and off CPU, 2.50ms"));
  CHECK(svg.contains("2.50 ms \u00b7"));
  CHECK(svg.contains("Widths are exact call times"));
  CHECK(svg.contains("bio_close_file"));  // calls were kept by thread
  CHECK_FALSE(svg.contains("tcp_sendmsg"));
  CHECK(render_flame_graph(Recording{}, options).contains("No probed call was timed."));
}

TEST_CASE("a flame graph of slow calls has their samples only", "[unit]") {
  callscope::ReportOptions options;
  options.samples = callscope::SampleSet::kSlow;
  const std::string svg = render_flame_graph(sample_recording(), options);
  CHECK(svg.contains("on-CPU inside 3 slow calls, 99 Hz, 5.0 s, 35 samples"));
  CHECK_FALSE(svg.contains("lua: loop"));
}
