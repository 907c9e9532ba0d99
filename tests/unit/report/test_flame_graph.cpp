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
