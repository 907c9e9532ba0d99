// SPDX-License-Identifier: Apache-2.0
// A full disk is played by a limit on the size of files, set in a child so that only it is bound.
#include <signal.h>
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "child_process.hpp"
#include "store/recording_reader.hpp"
#include "store/recording_writer.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::ErrorCode;
using callscope::read_recording;
using callscope::Recording;
using callscope::RecordingWriter;
using callscope::Result;
using callscope::test::ChildProcess;
using callscope::test::sample_recording;
using callscope::test::TemporaryFolder;

namespace {

constexpr rlim_t kLimitBytes = 400'000;

void limit_file_size(rlim_t bytes) {
  // Without this the kernel ends the process instead of failing the write.
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{bytes, RLIM_INFINITY};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

Recording with_many_notes(int count) {
  Recording recording = sample_recording();
  recording.finished = false;
  for (int i = 0; i < count; ++i) recording.notes.emplace_back(1000, 'x');
  return recording;
}

}  // namespace

TEST_CASE("when no space is left flush says so and what was flushed stays", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.cscope");
  ChildProcess recorder([&](const auto&) {
    limit_file_size(kLimitBytes);
    Result<RecordingWriter> writer = RecordingWriter::create(path);
    if (!writer || !writer->flush(with_many_notes(20))) return 1;
    const Result<void> second = writer->flush(with_many_notes(2000));
    if (second || second.error().code != ErrorCode::kIo) return 2;
    const std::string message = second.error().message();
    if (message.find("what was flushed before stays readable") == std::string::npos) return 3;
    const Result<Recording> read = read_recording(path);
    return read && *read == with_many_notes(20) ? 0 : 4;
  });
  CHECK(recorder.wait() == 0);
  const Result<Recording> read = read_recording(path);
  REQUIRE(read);
  CHECK(*read == with_many_notes(20));
}

TEST_CASE("recording goes on when space is free again", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.cscope");
  ChildProcess recorder([&](const auto&) {
    limit_file_size(kLimitBytes);
    Result<RecordingWriter> writer = RecordingWriter::create(path);
    if (!writer || !writer->flush(with_many_notes(20))) return 1;
    if (writer->flush(with_many_notes(2000))) return 2;
    limit_file_size(RLIM_INFINITY);
    return writer->finish(with_many_notes(2000)) ? 0 : 3;
  });
  CHECK(recorder.wait() == 0);
  Recording expected = with_many_notes(2000);
  expected.finished = true;
  const Result<Recording> read = read_recording(path);
  REQUIRE(read);
  CHECK(*read == expected);
}

TEST_CASE("no file is left behind when there is no room to begin with", "[unit]") {
  const TemporaryFolder folder;
  ChildProcess recorder([&](const auto&) {
    limit_file_size(4096);
    const Result<RecordingWriter> writer = RecordingWriter::create(folder.file("run.cscope"));
    return !writer && writer.error().code == ErrorCode::kIo ? 0 : 1;
  });
  CHECK(recorder.wait() == 0);
  CHECK(std::filesystem::is_empty(folder.path()));
}
