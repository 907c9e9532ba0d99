// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <filesystem>

#include "store/recording_reader.hpp"
#include "store/recording_writer.hpp"
#include "tests/unit/sample_recording.hpp"

namespace test = callscope::test;
using callscope::read_recording;
using callscope::Recording;
using callscope::RecordingWriter;
using callscope::Result;
using callscope::test::sample_recording;

namespace {

Recording read_back(const std::string& path) {
  Result<Recording> read = read_recording(path);
  INFO((read ? std::string() : read.error().message()));
  REQUIRE(read);
  return *read;
}

}  // namespace

TEST_CASE("a finished recording reads back equal in every field and is one file", "[unit]") {
  const test::TemporaryFolder folder;
  const Recording recording = sample_recording();
  Result<RecordingWriter> writer = RecordingWriter::create(folder.file("run.cscope"));
  REQUIRE(writer);
  const Result<void> finished = writer->finish(recording);
  INFO((finished ? std::string() : finished.error().message()));
  REQUIRE(finished);
  const Recording read = read_back(folder.file("run.cscope"));
  CHECK(read == recording);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path()))
    ++files;
  CHECK(files == 1);
}

TEST_CASE("each flush of a growing recording can be read while the writer lives", "[unit]") {
  const test::TemporaryFolder folder;
  const Recording whole = sample_recording();
  Result<RecordingWriter> writer = RecordingWriter::create(folder.file("run.cscope"));
  REQUIRE(writer);
  Recording grown;
  grown.tool_version = whole.tool_version;
  REQUIRE(writer->flush(grown));
  CHECK(read_back(folder.file("run.cscope")) == grown);
  grown.modules = {whole.modules[0]};
  grown.snapshots = {whole.snapshots[0], whole.snapshots[1], whole.snapshots[2]};
  grown.functions = {whole.functions[0]};
  grown.functions[0].histogram = {{108, 1}};
  grown.functions[0].aliases.clear();
  grown.call_nodes = {{.id = 0, .function = 0, .calls = 1},
                      {.id = 1, .function = 0, .calls = 2},
                      {.id = 2, .parent = 1, .function = 0},
                      {.id = 3, .parent = 2, .function = 0},
                      {.id = 4, .function = 0},
                      {.id = 5, .function = 0}};
  grown.latency_columns = {{0, 0, {{108, 1}}}};
  grown.processes = {whole.processes[0], whole.processes[1], whole.processes[0]};
  REQUIRE(writer->flush(grown));
  CHECK(read_back(folder.file("run.cscope")) == grown);
  grown = whole;
  grown.finished = false;
  grown.snapshots.erase(grown.snapshots.begin() + 1);
  grown.latency_columns.resize(3);
  grown.slow_calls.resize(1);
  REQUIRE(writer->flush(grown));
  CHECK(read_back(folder.file("run.cscope")) == grown);
  grown.finished = true;
  grown.cpu[1].count += 5;
  grown.cpu[1].slow_count += 2;
  grown.waits[2].runq_ns += 3;
  grown.faults[1].count += 4;
  grown.quality[0].value = 9;
  grown.call_nodes[2].self_ns += 17;
  grown.latency_columns = whole.latency_columns;
  grown.latency_columns[2].histogram.front().second += 3;  // of the last second that was flushed
  grown.latency_columns.insert(grown.latency_columns.begin() + 3, {1, 1, {{3, 1}}});
  grown.slow_calls = whole.slow_calls;
  grown.budget_percent = 0.25;
  grown.off_cpu_split = false;
  // Debug information is read at the end.
  grown.frames[4].line = 12;
  grown.frames.push_back({8, 0, 0x1000, "inlined", 0, "/src/x.c", 3, 1});
  grown.stacks[1].frames.insert(grown.stacks[1].frames.begin() + 2, 8);
  REQUIRE(writer->finish(grown));
  CHECK(read_back(folder.file("run.cscope")) == grown);
}

TEST_CASE("a writer that goes without finishing leaves a readable file", "[unit]") {
  const test::TemporaryFolder folder;
  Recording recording = sample_recording();
  {
    Result<RecordingWriter> writer = RecordingWriter::create(folder.file("run.cscope"));
    REQUIRE(writer);
    REQUIRE(writer->flush(recording));
  }
  recording.finished = false;
  CHECK(read_back(folder.file("run.cscope")) == recording);
}

TEST_CASE("unusual values survive: all 64 bits, empty texts, bytes that are no text", "[unit]") {
  const test::TemporaryFolder folder;
  Recording recording = sample_recording();
  recording.duration_ns = ~std::uint64_t{0};
  recording.functions[0].calls = ~std::uint64_t{0};
  recording.functions[0].name = std::string("nul\0byte \xff", 10);
  recording.target.comm.clear();
  recording.target.exit_status.reset();
  recording.target.pid = -1;
  recording.stacks[0].frames.clear();
  recording.threads.clear();
  recording.notes = {"", "one\ntwo"};
  recording.budget_percent = 1e300;
  recording.slow_calls[0].args = {~std::uint64_t{0}, std::nullopt};
  recording.latency_columns[0].histogram = {{591, ~std::uint64_t{0}}};
  recording.latency_columns[1].histogram.clear();
  recording.latency_columns.back().second = ~std::uint32_t{0};
  Result<RecordingWriter> writer = RecordingWriter::create(folder.file("run.cscope"));
  REQUIRE(writer);
  REQUIRE(writer->finish(recording));
  CHECK(read_back(folder.file("run.cscope")) == recording);
}
