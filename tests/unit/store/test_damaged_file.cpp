// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "store/database.hpp"
#include "store/recording_reader.hpp"
#include "store/recording_writer.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::Error;
using callscope::ErrorCode;
using callscope::read_recording;
using callscope::Recording;
using callscope::RecordingWriter;
using callscope::Result;
using callscope::store::Database;
using callscope::test::sample_recording;
using callscope::test::TemporaryFolder;

namespace {

std::string finished_recording(const TemporaryFolder& folder) {
  const std::string path = folder.file("good.cscope");
  Result<RecordingWriter> writer = RecordingWriter::create(path);
  REQUIRE(writer);
  REQUIRE(writer->finish(sample_recording()));
  return path;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

void change(const std::string& path, const char* sql) {
  Result<Database> database = Database::open(path, SQLITE_OPEN_READWRITE, path);
  REQUIRE(database);
  REQUIRE(database->execute(sql));
}

Error error_of(const std::string& path) {
  const Result<Recording> read = read_recording(path);
  REQUIRE_FALSE(read);
  return read.error();
}

bool mentions(const Error& error, std::string_view words) {
  INFO(error.message());
  CHECK(error.message().find(words) != std::string::npos);
  return error.message().find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("what is not a recording is refused with its reason", "[unit]") {
  const TemporaryFolder folder;
  CHECK(error_of(folder.file("missing")).code == ErrorCode::kNotFound);
  CHECK(error_of(folder.path()).code == ErrorCode::kUsage);
  CHECK(mentions(error_of(folder.path()), "is a folder"));

  const std::string fifo = folder.file("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(error_of(fifo).code == ErrorCode::kUsage);

  for (const std::string_view content : {"", "hello, this is a text file\n", "SQLite format 3"}) {
    write_bytes(folder.file("other"), content);
    CHECK(error_of(folder.file("other")).code == ErrorCode::kCorrupt);
    CHECK(mentions(error_of(folder.file("other")), "is not a callscope recording"));
  }
  const std::string foreign = folder.file("foreign.db");
  write_bytes(foreign, "");
  change(foreign, "CREATE TABLE recording (tool_version TEXT)");
  CHECK(mentions(error_of(foreign), "is not a callscope recording"));
}

TEST_CASE("a recording of another version says who made it and what is read here", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = finished_recording(folder);
  change(path, "PRAGMA user_version = 4; UPDATE recording SET tool_version = '9.9'");
  CHECK(error_of(path).code == ErrorCode::kCorrupt);
  CHECK(mentions(error_of(path), "callscope 9.9, format 4; this one reads formats 1 to 3"));
  change(path, "DROP TABLE recording");
  CHECK(mentions(error_of(path), "another callscope, format 4"));
}

TEST_CASE("every truncation of a recording is an error", "[unit]") {
  const TemporaryFolder folder;
  const std::string whole = bytes_of(finished_recording(folder));
  const std::string cut = folder.file("cut.cscope");
  REQUIRE(whole.size() > 10'000);
  write_bytes(cut, whole);
  REQUIRE(read_recording(cut));
  // Shrunk in place from the full length down, one byte at a time.
  for (std::size_t size = whole.size(); size-- > 0;) {
    std::filesystem::resize_file(cut, size);
    if (read_recording(cut)) FAIL("a file of " << size << " bytes was read");
  }
}

TEST_CASE("a -wal that was cut gives an earlier state or an error, never a wrong one", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.cscope");
  Result<RecordingWriter> writer = RecordingWriter::create(path);
  REQUIRE(writer);
  Recording first = sample_recording();
  first.finished = false;
  first.notes.clear();
  Recording second = sample_recording();
  second.finished = false;
  REQUIRE(writer->flush(first));
  REQUIRE(writer->flush(second));
  const std::string main = bytes_of(path);
  const std::string wal = bytes_of(path + "-wal");
  const std::string copy = folder.file("copy.cscope");
  write_bytes(copy, main);
  std::size_t states = 0;
  for (std::size_t size = 0; size <= wal.size(); size += 211) {
    write_bytes(copy + "-wal", std::string_view(wal).substr(0, size));
    std::filesystem::remove(copy + "-shm");
    const Result<Recording> read = read_recording(copy);
    if (!read) continue;
    ++states;
    CHECK((*read == first || *read == second));
  }
  CHECK(states > 0);
}

TEST_CASE("flipped bytes never crash the reader", "[unit]") {
  const TemporaryFolder folder;
  const std::string whole = bytes_of(finished_recording(folder));
  const std::string damaged = folder.file("damaged.cscope");
  std::mt19937_64 random(42);
  for (int round = 0; round < 500; ++round) {
    std::string bytes = whole;
    for (std::uint64_t flips = 1 + random() % 8; flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    write_bytes(damaged, bytes);
    const Result<Recording> read = read_recording(damaged);
    if (!read) CHECK_FALSE(read.error().message().empty());
  }
}

TEST_CASE("ids, types and ranges that cannot be are refused", "[unit]") {
  const TemporaryFolder folder;
  const std::string good = finished_recording(folder);
  const std::string bad = folder.file("bad.cscope");
  const auto* const sql = GENERATE(
      "UPDATE frame SET module = 7 WHERE id = 3", "UPDATE frame SET module = -1 WHERE id = 3",
      "UPDATE frame SET id = 77 WHERE id = 3", "DELETE FROM module WHERE id = 0",
      "UPDATE module SET kind = 'elves' WHERE id = 1", "UPDATE stack SET frames = '[1,2,8]'",
      "UPDATE stack SET frames = '[1,,2]'", "UPDATE stack SET frames = '[1,2,]'",
      "UPDATE stack SET frames = '[-1]'", "UPDATE stack SET frames = '1,2'",
      "UPDATE stack SET frames = ']'", "UPDATE stack SET frames = x'00ff'",
      "UPDATE cpu_sample SET stack = 4 WHERE stack = 3", "UPDATE function SET module = 99",
      "UPDATE function SET exit_mode = 'magic'", "UPDATE function SET calls = 'many'",
      "UPDATE function SET min_ns = max_ns + 1 WHERE id = 0",
      "INSERT INTO function_histogram VALUES (0, 592, 1)",
      "INSERT INTO function_histogram VALUES (3, 1, 1)",
      "INSERT INTO function_alias VALUES (3, 0, 'x')", "UPDATE function SET sample_every = 0",
      "UPDATE recording SET budget_percent = 'much'", "UPDATE recording SET budget_percent = 9e999",
      "UPDATE cpu_sample SET slow_count = count + 1", "UPDATE wait SET stack = 99 WHERE stack = 2",
      "UPDATE page_fault SET stack = 99 WHERE stack = 2", "DELETE FROM call_node WHERE id = 1",
      "UPDATE call_node SET parent = 4 WHERE id = 2", "UPDATE call_node SET parent = id",
      "UPDATE call_node SET parent = -1 WHERE id = 2", "UPDATE call_node SET function = 3",
      "UPDATE call_node SET parent = 4294967295 WHERE id = 1",
      "UPDATE latency SET function = 3 WHERE second = 4",
      "UPDATE latency SET histogram = '{\"592\":1}'", "UPDATE latency SET histogram = '{\"1\":-1}'",
      "UPDATE latency SET histogram = '{\"2\":1,\"1\":1}'", "UPDATE latency SET histogram = '[1]'",
      "UPDATE latency SET histogram = '{\"1\":1,}'",
      "UPDATE latency SET second = -1 WHERE second = 4", "UPDATE slow_call SET stack = 4",
      "UPDATE slow_call SET function = 3", "UPDATE slow_call SET args = '[1,2,3,4,5,6,7]'",
      "UPDATE slow_call SET args = '[none]'", "UPDATE slow_call SET id = 9 WHERE id = 2",
      "UPDATE process SET pid = 1e12",
      "DROP TABLE latency; CREATE VIEW latency AS SELECT 0 AS second, 0 AS function, '{}' AS h",
      "UPDATE target SET pid = 99999999999", "UPDATE host SET cpus = 1.5", "DROP TABLE note",
      "DROP TABLE thread; CREATE VIEW thread AS SELECT 1 AS id, 2 AS pid, 3 AS tid, 'x' AS comm");
  write_bytes(bad, bytes_of(good));
  change(bad, sql);
  INFO(sql);
  CHECK(error_of(bad).code == ErrorCode::kCorrupt);
}

TEST_CASE("a call tree deeper than any recorder makes is refused", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = finished_recording(folder);
  change(path,
         "DELETE FROM call_node;"
         "WITH RECURSIVE chain(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM chain WHERE id < 1023)"
         " INSERT INTO call_node SELECT id, CASE WHEN id > 0 THEN id - 1 END, 0, 0, 0, 1, 0, 0, 0,"
         " 0, 0, 0, 0, 0 FROM chain");
  CHECK(read_recording(path));
  change(path, "INSERT INTO call_node SELECT 1024, 1023, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0");
  CHECK(mentions(error_of(path), "table call_node holds invalid data"));
}
