// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <numeric>

#include "flamegraph/folded.hpp"
#include "realistic_recording.hpp"
#include "report/renderer.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::FoldedStack;
using callscope::ModuleKind;
using callscope::Recording;
using callscope::render_folded;
using callscope::test::sample_recording;

TEST_CASE("folded lines go from thread to leaf, sorted, with kernel and JIT marked", "[unit]") {
  CHECK(render_folded(sample_recording(), {}) ==
        "bio_close_file;[cut];main;[libc.so.6+0x1234] 40\n"
        "bio_close_file;_start;__libc_start_call_main;main;getCommand 11\n"
        "redis-server;_start;__libc_start_call_main;main;getCommand 300\n"
        "redis-server;_start;__libc_start_call_main;main;getCommand;getCommand;lua: loop:x_[j] 24\n"
        "redis-server;_start;__libc_start_call_main;main;getCommand;tcp_sendmsg_[k] 120\n");
}

TEST_CASE("Python functions are told apart by their file", "[unit]") {
  Recording recording = sample_recording();
  const auto id = static_cast<std::uint32_t>(recording.frames.size());
  recording.frames.push_back({id, 6, 3ULL << 32 | 12, "App.run", 0, "/srv/app.py", 12, 0});
  recording.stacks[0].frames = {id, 1, 2};
  recording.cpu = {{0, 4242, 4242, 300}};
  CHECK(render_folded(recording, {}) ==
        "redis-server;_start;__libc_start_call_main;App.run (app.py)_[p] 300\n");
  callscope::ReportOptions with_lines;
  with_lines.lines = true;
  CHECK(render_folded(recording, with_lines) ==
        "redis-server;_start;__libc_start_call_main;App.run (app.py:12)_[p] 300\n");
}

TEST_CASE("waits are weighed by their time, asleep and ready", "[unit]") {
  callscope::ReportOptions options;
  options.weight = callscope::StackWeight::kOffCpu;
  CHECK(render_folded(sample_recording(), options) ==
        "bio_close_file;[cut];main;[libc.so.6+0x1234] 1500000000\n"
        "redis-server;_start;__libc_start_call_main;main;getCommand 3020000000\n"
        "redis-server;_start;__libc_start_call_main;main;getCommand;tcp_sendmsg_[k] 5000000\n");
}

TEST_CASE("page faults are weighed by their number", "[unit]") {
  callscope::ReportOptions options;
  options.weight = callscope::StackWeight::kPageFaults;
  CHECK(render_folded(sample_recording(), options) ==
        "bio_close_file;[cut];main;[libc.so.6+0x1234] 16\n"
        "redis-server;_start;__libc_start_call_main;main;getCommand 2048\n");
}

TEST_CASE("threads of one name share their lines, and unknown threads have the target's",
          "[unit]") {
  Recording recording = sample_recording();
  recording.threads = {{4242, 4243, "redis-server"}};
  recording.cpu = {{0, 4242, 4242, 1}, {0, 4242, 4243, 2}, {0, 5000, 5000, 4}};
  CHECK(render_folded(recording, {}) ==
        "redis-server;_start;__libc_start_call_main;main;getCommand 7\n");
}

TEST_CASE("names cannot break the format", "[unit]") {
  Recording recording = sample_recording();
  recording.threads = {{4242, 4242, "a;b\nc d"}};
  recording.frames[3].function = "operator;\r\n(int, char) const";
  recording.stacks[1].frames.clear();
  recording.cpu = {{0, 4242, 4242, 3}, {1, 4242, 4242, 2}};
  const std::string text = render_folded(recording, {});
  CHECK(text ==
        "a:b c d;[no stack] 2\n"
        "a:b c d;_start;__libc_start_call_main;main;operator:  (int, char) const 3\n");
}

TEST_CASE("our own parser reads every sample back", "[unit]") {
  const auto stacks = callscope::parse_folded(render_folded(sample_recording(), {}));
  REQUIRE(stacks);
  CHECK(stacks->size() == 5);
  CHECK(std::accumulate(
            stacks->begin(), stacks->end(), std::uint64_t{0},
            [](std::uint64_t sum, const FoldedStack& stack) { return sum + stack.weight; }) == 495);
}

TEST_CASE("no samples give no lines", "[unit]") { CHECK(render_folded(Recording{}, {}).empty()); }

TEST_CASE("folded stacks of call time weigh the exact self time of each path", "[unit]") {
  callscope::ReportOptions options;
  options.weight = callscope::StackWeight::kLatency;
  CHECK(render_folded(sample_recording(), options) ==
        "bio_close_file;getCommand 250000\n"
        "redis-server;getCommand 500000\n"
        "redis-server;getCommand;getCommand 50000\n"
        "redis-server;setCommand 1296000\n"
        "redis-server;setCommand;getCommand 400000\n");
  for (const bool by_thread : {true, false}) {
    Recording recording = callscope::test::realistic_recording();
    recording.calls_by_thread = by_thread;
    std::uint64_t self_ns = 0;
    for (const callscope::CallNode& node : recording.call_nodes) self_ns += node.self_ns;
    const auto stacks = callscope::parse_folded(render_folded(recording, options));
    REQUIRE(stacks);
    std::uint64_t weights = 0;
    for (const FoldedStack& stack : *stacks) weights += stack.weight;
    CHECK(weights == self_ns);
  }
}

TEST_CASE("folded stacks of slow calls have their samples only", "[unit]") {
  callscope::ReportOptions options;
  options.samples = callscope::SampleSet::kSlow;
  CHECK(render_folded(sample_recording(), options) ==
        "redis-server;_start;__libc_start_call_main;main;getCommand 30\n"
        "redis-server;_start;__libc_start_call_main;main;getCommand;tcp_sendmsg_[k] 5\n");
}
