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
  REQUIRE(writer->flush(grown));
  CHECK(read_back(folder.file("run.cscope")) == grown);
  grown = whole;
  grown.finished = false;
  grown.snapshots.erase(grown.snapshots.begin() + 1);
  REQUIRE(writer->flush(grown));
  CHECK(read_back(folder.file("run.cscope")) == grown);
  grown.finished = true;
  grown.cpu[1].count += 5;
  grown.quality[0].value = 9;
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
  Result<RecordingWriter> writer = RecordingWriter::create(folder.file("run.cscope"));
  REQUIRE(writer);
  REQUIRE(writer->finish(recording));
  CHECK(read_back(folder.file("run.cscope")) == recording);
}
