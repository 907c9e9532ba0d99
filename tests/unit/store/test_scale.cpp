// SPDX-License-Identifier: Apache-2.0
// Cost of flushing a large recording. Times are compared with each other, never with a clock.
// "unit_store [bench]" prints them.
#include <catch2/catch.hpp>
#include <filesystem>
#include <iostream>
#include <random>

#include "callscope/abi/histogram.h"
#include "store/recording_reader.hpp"
#include "store/recording_writer.hpp"
#include "sys/clock.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::monotonic_ns;
using callscope::read_recording;
using callscope::Recording;
using callscope::RecordingWriter;
using callscope::Result;
using callscope::test::sample_recording;
using callscope::test::TemporaryFolder;

namespace {

constexpr std::uint32_t kFunctions = 1000;
constexpr std::uint32_t kStacks = 20'000;
constexpr std::uint32_t kFrames = 5000;
constexpr std::size_t kDepth = 30;

Recording large_recording() {
  std::mt19937 random(1);
  Recording r = sample_recording();
  r.frames.clear();
  r.stacks.clear();
  r.cpu.clear();
  r.functions.clear();
  r.call_nodes.clear();
  r.latency_columns.clear();
  r.slow_calls.clear();
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    r.frames.push_back(
        {i, i % 5, 0x1000 + 64 * i, "a_function_of_usual_length_" + std::to_string(i), 5});
  }
  for (std::uint32_t i = 0; i < kStacks; ++i) {
    callscope::Stack stack{i, {}, false};
    for (std::size_t d = 0; d < kDepth; ++d)
      stack.frames.push_back(static_cast<std::uint32_t>(random() % kFrames));
    r.stacks.push_back(stack);
    r.cpu.push_back({i, 4242, 4242, 1 + random() % 100, 0});
  }
  for (std::uint32_t i = 0; i < kFunctions; ++i) {
    r.functions.push_back(callscope::test::sample_timed_function());
    r.functions.back().name += std::to_string(i);
    r.functions.back().histogram.clear();
    for (std::uint32_t slot = 100; slot < 180; ++slot) {
      r.functions.back().histogram.emplace_back(slot, 1 + random() % 1000);
    }
  }
  return r;
}

// A library with 10,000 probed functions and their call tree, of which few are busy.
Recording wide_recording() {
  constexpr std::uint32_t kWideFunctions = 10'000;
  constexpr std::uint32_t kNodes = 30'000;
  std::mt19937 random(2);
  Recording r = sample_recording();
  r.functions.resize(1);
  r.call_nodes.clear();
  r.latency_columns.clear();
  r.slow_calls.clear();
  r.functions.resize(kWideFunctions, r.functions[0]);
  for (std::uint32_t i = 0; i < kWideFunctions; ++i) r.functions[i].name += std::to_string(i);
  for (std::uint32_t i = 0; i < kNodes; ++i) {
    r.call_nodes.push_back({.id = i,
                            .parent = i < 100 ? callscope::CallNode::kNoParent : i / 3,
                            .function = static_cast<std::uint32_t>(random() % kWideFunctions),
                            .calls = random() % 1000,
                            .self_ns = random()});
  }
  return r;
}

// One second of it: every n-th function and node was called.
void advance_every(Recording& r, std::size_t n, std::uint32_t second) {
  for (std::uint32_t i = 0; i < r.functions.size(); i += static_cast<std::uint32_t>(n)) {
    ++r.functions[i].calls;
    ++r.functions[i].histogram[1].second;
    r.latency_columns.push_back({i, second, {{128, 1}}});
  }
  for (std::size_t i = 0; i < r.call_nodes.size(); i += n) ++r.call_nodes[i].calls;
}

// What one second of a busy recording changes: all counts, a few new stacks.
void advance(Recording& r) {
  for (auto& samples : r.cpu) samples.count += samples.stack % 100 == 0 ? 1 : 0;
  for (auto& function : r.functions) {
    ++function.calls;
    ++function.returns;
    for (std::size_t i = 20; i < 40; ++i) ++function.histogram[i].second;
  }
}

std::uint64_t time_ns(const auto& action) {
  const std::uint64_t start = monotonic_ns();
  action();
  return monotonic_ns() - start;
}

struct Times {
  std::uint64_t first = 0;
  std::uint64_t unchanged = ~std::uint64_t{0};
  std::uint64_t busy = 0;
  std::uint64_t finish = 0;
  std::uint64_t read = 0;
  std::uint64_t bytes = 0;
};

Times measure() {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.cscope");
  Recording recording = large_recording();
  Result<RecordingWriter> writer = RecordingWriter::create(path);
  REQUIRE(writer);
  Times times;
  times.first = time_ns([&] { REQUIRE(writer->flush(recording)); });
  for (int i = 0; i < 5; ++i) {
    times.unchanged =
        std::min(times.unchanged, time_ns([&] { REQUIRE(writer->flush(recording)); }));
  }
  advance(recording);
  times.busy = time_ns([&] { REQUIRE(writer->flush(recording)); });
  advance(recording);
  times.finish = time_ns([&] { REQUIRE(writer->finish(recording)); });
  Result<Recording> read = callscope::fail(callscope::ErrorCode::kInternal, "not read");
  times.read = time_ns([&] { read = read_recording(path); });
  REQUIRE(read);
  CHECK(*read == recording);
  times.bytes = std::filesystem::file_size(path);
  return times;
}

}  // namespace

TEST_CASE("a flush of unchanged data costs a small part of the first one", "[unit]") {
  const Times times = measure();
  CHECK(times.unchanged * 5 < times.first);
}

TEST_CASE("a flush costs by what changed, with 10,000 functions and 30,000 call nodes", "[unit]") {
  const TemporaryFolder folder;
  Recording recording = wide_recording();
  Result<RecordingWriter> writer = RecordingWriter::create(folder.file("run.cscope"));
  REQUIRE(writer);
  const auto flush = [&] { REQUIRE(writer->flush(recording)); };
  const std::uint64_t first = time_ns(flush);
  std::uint64_t quiet = ~std::uint64_t{0};
  std::uint64_t few = quiet;
  for (std::uint32_t second = 0; second < 5; ++second) {
    advance_every(recording, 100, second);
    few = std::min(few, time_ns(flush));
    quiet = std::min(quiet, time_ns(flush));
  }
  advance_every(recording, 1, 5);
  const std::uint64_t all = time_ns(flush);
  std::cout << "10,000 functions, 30,000 nodes: first flush " << first / 1000 << " us, unchanged "
            << quiet / 1000 << " us, 1 % changed " << few / 1000 << " us, all changed "
            << all / 1000 << " us\n";
  CHECK(quiet * 10 < first);
  CHECK(few * 5 < first);
  const Result<Recording> read = read_recording(folder.file("run.cscope"));
  REQUIRE(read);
  Recording expected = recording;
  expected.finished = false;
  CHECK(*read == expected);
}

TEST_CASE("times of a large recording", "[.][bench]") {
  for (int round = 0; round < 3; ++round) {
    const Times times = measure();
    const auto ms = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e6; };
    std::cout << "first flush " << ms(times.first) << " ms, unchanged " << ms(times.unchanged)
              << " ms, busy " << ms(times.busy) << " ms, finish " << ms(times.finish)
              << " ms, read " << ms(times.read) << " ms, file "
              << static_cast<double>(times.bytes) / 1e6 << " MB\n";
  }
}
