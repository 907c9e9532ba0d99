// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "child_process.hpp"
#include "store/recording_reader.hpp"
#include "store/recording_writer.hpp"
#include "tests/unit/sample_recording.hpp"

namespace fs = std::filesystem;

using callscope::ErrorCode;
using callscope::read_recording;
using callscope::Recording;
using callscope::RecordingWriter;
using callscope::Result;
using callscope::test::ChildProcess;
using callscope::test::sample_recording;
using callscope::test::TemporaryFolder;

namespace {

constexpr uid_t kNobody = 65534;

Recording unfinished_sample() {
  Recording recording = sample_recording();
  recording.finished = false;
  recording.target.ended_by.clear();
  return recording;
}

// Leaves the file of a recorder that was killed after its second flush, with a third begun or not.
void record_and_die(const std::string& path) {
  ChildProcess recorder([&](const auto& ready) {
    Result<RecordingWriter> writer = RecordingWriter::create(path);
    Recording recording = unfinished_sample();
    recording.cpu.resize(2);
    if (!writer || !writer->flush(recording)) return 1;
    recording = unfinished_sample();
    if (!writer->flush(recording)) return 1;
    ready();
    ::pause();
    return 0;
  });
  REQUIRE(recorder.wait_ready());
  recorder.kill();
}

}  // namespace

TEST_CASE("a recording whose writer was killed reads up to the last flush, untouched", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.cscope");
  record_and_die(path);
  REQUIRE(fs::file_size(path + "-wal") > 0);
  const auto wal_bytes = fs::file_size(path + "-wal");
  for (int time = 0; time < 2; ++time) {
    const Result<Recording> read = read_recording(path);
    INFO((read ? std::string() : read.error().message()));
    REQUIRE(read);
    CHECK(*read == unfinished_sample());
  }
  CHECK(fs::file_size(path + "-wal") == wal_bytes);
}

TEST_CASE("a writer killed at any moment leaves a readable recording", "[unit]") {
  const TemporaryFolder folder;
  for (int round = 0; round < 20; ++round) {
    const std::string path = folder.file("run" + std::to_string(round) + ".cscope");
    ChildProcess recorder([&](const auto& ready) {
      Result<RecordingWriter> writer = RecordingWriter::create(path);
      Recording recording = unfinished_sample();
      recording.cpu[0].slow_count = 0;
      if (!writer || !writer->flush(recording)) return 1;
      ready();
      // Never ends by itself: the parent kills it in the middle of some flush.
      for (std::uint64_t i = 1;; ++i) {
        recording.cpu[0].count = recording.functions[0].calls = i;
        recording.call_nodes[0].calls = recording.latency_columns[4].histogram[0].second = i;
        recording.slow_calls.push_back(recording.slow_calls[0]);
        recording.notes.push_back("note " + std::to_string(i));
        if (!writer->flush(recording)) return 1;
      }
    });
    REQUIRE(recorder.wait_ready());
    // A reader beside the running writer, then one after its death.
    for (const bool alive : {true, false}) {
      if (!alive) recorder.kill();
      const Result<Recording> read = read_recording(path);
      INFO((read ? std::string() : read.error().message()));
      REQUIRE(read);
      // One flush is one transaction: all numbers come from the same one.
      if (read->notes.size() > 2) {
        CHECK(read->cpu[0].count == read->call_nodes[0].calls);
        CHECK(read->cpu[0].count == read->latency_columns[4].histogram[0].second);
        CHECK(read->slow_calls.size() == 3 + read->cpu[0].count);
        CHECK(read->cpu[0].count == read->functions[0].calls);
        CHECK(read->notes.size() == 2 + read->cpu[0].count);
      }
    }
  }
}

TEST_CASE("a killed recording can be read in a folder without write permission", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.cscope");
  record_and_die(path);
  for (const bool with_shm : {true, false}) {
    if (!with_shm) fs::remove(path + "-shm");
    ::chmod(folder.path().c_str(), 0555);
    ChildProcess reader([&](const auto&) {
      // Root may write everywhere; another user may not.
      if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) return 3;
      const Result<Recording> read = read_recording(path);
      return read && *read == unfinished_sample() ? 0 : 1;
    });
    CHECK(reader.wait() == 0);
    ::chmod(folder.path().c_str(), 0755);
  }
}

TEST_CASE("a finished recording can be read in a folder without write permission", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run %41?#.cscope");
  Result<RecordingWriter> writer = RecordingWriter::create(path);
  REQUIRE(writer);
  REQUIRE(writer->finish(sample_recording()));
  ::chmod(folder.path().c_str(), 0555);
  ChildProcess reader([&](const auto&) {
    if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) return 3;
    const Result<Recording> read = read_recording(path);
    return read && *read == sample_recording() ? 0 : 1;
  });
  CHECK(reader.wait() == 0);
  ::chmod(folder.path().c_str(), 0755);
}

TEST_CASE("a recorder killed before its first flush leaves a clear error", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.cscope");
  ChildProcess recorder([&](const auto& ready) {
    const Result<RecordingWriter> writer = RecordingWriter::create(path);
    ready();
    ::pause();
    return 0;
  });
  REQUIRE(recorder.wait_ready());
  recorder.kill();
  const Result<Recording> read = read_recording(path);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::kCorrupt);
  CHECK(read.error().message().find("holds no data") != std::string::npos);
}
