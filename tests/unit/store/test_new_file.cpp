// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "store/recording_reader.hpp"
#include "store/recording_writer.hpp"
#include "tests/unit/sample_recording.hpp"

namespace fs = std::filesystem;

using callscope::Error;
using callscope::ErrorCode;
using callscope::FileOwner;
using callscope::read_recording;
using callscope::Recording;
using callscope::RecordingWriter;
using callscope::Result;
using callscope::test::sample_recording;
using callscope::test::TemporaryFolder;

namespace {

Error refusal(const std::string& path) {
  const Result<RecordingWriter> writer = RecordingWriter::create(path);
  REQUIRE_FALSE(writer);
  return writer.error();
}

void write_text(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

TEST_CASE("an existing recording is replaced", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.cscope");
  for (const char* const comm : {"first", "second"}) {
    Recording recording = sample_recording();
    recording.target.comm = comm;
    Result<RecordingWriter> writer = RecordingWriter::create(path);
    REQUIRE(writer);
    REQUIRE(writer->finish(recording));
  }
  CHECK(read_recording(path)->target.comm == "second");
}

TEST_CASE("an empty file, as mktemp makes it, is replaced", "[unit]") {
  const TemporaryFolder folder;
  write_text(folder.file("run.cscope"), "");
  CHECK(RecordingWriter::create(folder.file("run.cscope")));
}

TEST_CASE("any other file is refused and left alone", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("precious.txt");
  write_text(path, "precious");
  CHECK(refusal(path).code == ErrorCode::kUsage);
  CHECK(refusal(path).message().find("is not a callscope recording") != std::string::npos);
  std::ifstream file(path);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == "precious");
}

TEST_CASE("links, folders, pipes and impossible places are refused", "[unit]") {
  const TemporaryFolder folder;
  write_text(folder.file("victim"), "");
  fs::create_symlink(folder.file("victim"), folder.file("link.cscope"));
  CHECK(refusal(folder.file("link.cscope")).code == ErrorCode::kUsage);
  fs::create_symlink(folder.file("nowhere"), folder.file("dangling.cscope"));
  CHECK(refusal(folder.file("dangling.cscope")).code == ErrorCode::kUsage);
  CHECK_FALSE(fs::exists(folder.file("nowhere")));
  REQUIRE(::mkfifo(folder.file("fifo").c_str(), 0600) == 0);
  CHECK(refusal(folder.file("fifo")).code == ErrorCode::kUsage);
  CHECK(refusal(folder.path()).code == ErrorCode::kUsage);
  CHECK(refusal("").code == ErrorCode::kUsage);
  CHECK(refusal(folder.path() + "/").code == ErrorCode::kUsage);
  CHECK(refusal(folder.file("missing/run.cscope")).code == ErrorCode::kUsage);
}

TEST_CASE("links laid in the place of the -wal and -shm are not written through", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.cscope");
  write_text(folder.file("victim"), "precious");
  for (const char* const suffix : {"-wal", "-shm", "-journal"}) {
    fs::create_symlink(folder.file("victim"), path + suffix);
  }
  Result<RecordingWriter> writer = RecordingWriter::create(path);
  REQUIRE(writer);
  REQUIRE(writer->flush(sample_recording()));
  CHECK(fs::is_regular_file(fs::symlink_status(path + "-wal")));
  CHECK(fs::file_size(folder.file("victim")) == 8);
}

TEST_CASE("a recording that is being written is not replaced", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.cscope");
  Result<RecordingWriter> writer = RecordingWriter::create(path);
  REQUIRE(writer);
  REQUIRE(writer->flush(sample_recording()));
  CHECK(refusal(path).code == ErrorCode::kUsage);
  CHECK(refusal(path).message().find("being written") != std::string::npos);
  REQUIRE(writer->finish(sample_recording()));
  CHECK(read_recording(path));
}

TEST_CASE("the file and its companions belong to the given owner", "[unit]") {
  const TemporaryFolder folder;
  // Root gives it away; anyone else can only keep it.
  const bool root = ::geteuid() == 0;
  const FileOwner owner{root ? 12345 : ::geteuid(), root ? 23456 : ::getegid()};
  const std::string path = folder.file("run.cscope");
  Result<RecordingWriter> writer = RecordingWriter::create(path, owner);
  REQUIRE(writer);
  REQUIRE(writer->flush(sample_recording()));
  const auto check_owner = [&](const std::string& name) {
    struct stat status{};
    REQUIRE(::stat(name.c_str(), &status) == 0);
    CHECK(status.st_uid == owner.uid);
    CHECK(status.st_gid == owner.gid);
    CHECK((status.st_mode & 0022) == 0);
  };
  for (const char* const suffix : {"", "-wal", "-shm"}) check_owner(path + suffix);
  REQUIRE(writer->finish(sample_recording()));
  check_owner(path);
}

TEST_CASE("relative names are taken from the current folder", "[unit]") {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  Result<RecordingWriter> writer = RecordingWriter::create("file:run.cscope");
  const bool finished = writer && writer->finish(sample_recording());
  const Result<Recording> read = read_recording("file:run.cscope");
  fs::current_path(before);
  CHECK(finished);
  REQUIRE(read);
  CHECK(*read == sample_recording());
}
