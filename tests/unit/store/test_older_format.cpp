// SPDX-License-Identifier: Apache-2.0
// Recordings of earlier formats, made here with the schema of that time.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "store/database.hpp"
#include "store/recording_reader.hpp"
#include "store/recording_writer.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::Frame;
using callscope::FunctionStats;
using callscope::read_recording;
using callscope::Recording;
using callscope::RecordingWriter;
using callscope::Result;
using callscope::Stack;
using callscope::StackEnd;
using callscope::store::Database;
using callscope::test::sample_recording;
using callscope::test::TemporaryFolder;

namespace {

// Copies what format 1 had; data/format_1_schema.sql is the schema of callscope 0.1.
constexpr const char* kCopy = R"(
  INSERT INTO recording SELECT id, tool_version, start_unix_ns, duration_ns, finished, sample_hz,
    sample_event, probe_mechanism FROM present.recording;
  INSERT INTO host SELECT * FROM present.host;
  INSERT INTO target SELECT * FROM present.target;
  INSERT INTO module SELECT * FROM present.module;
  INSERT INTO frame SELECT id, module, addr, function, sym_off FROM present.frame;
  INSERT INTO stack SELECT id, truncated, frames FROM present.stack;
  INSERT INTO thread SELECT * FROM present.thread;
  INSERT INTO cpu_sample SELECT stack, pid, tid, count FROM present.cpu_sample;
  INSERT INTO function SELECT id, name, module, addr, size_bytes, exit_mode, calls, returns, unwound,
    running, untimed, total_ns, self_ns, sum_ns, min_ns, max_ns, probe_cost_ns, tail_exits
    FROM present.function;
  INSERT INTO function_alias SELECT * FROM present.function_alias;
  INSERT INTO function_histogram SELECT * FROM present.function_histogram;
  INSERT INTO snapshot SELECT * FROM present.snapshot;
  INSERT INTO quality SELECT * FROM present.quality;
  INSERT INTO note SELECT * FROM present.note;)";

std::string schema_of_format_1() {
  std::ifstream file(CALLSCOPE_TEST_DATA "/unit/store/data/format_1_schema.sql");
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_format_1(const std::string& path, const TemporaryFolder& folder) {
  const std::string present = folder.file("present.cscope");
  Result<RecordingWriter> writer = RecordingWriter::create(present);
  REQUIRE(writer);
  REQUIRE(writer->finish(sample_recording()));
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  Result<Database> database = Database::open(path, kFlags, path);
  REQUIRE(database);
  const std::string sql =
      schema_of_format_1() + "ATTACH '" + present + "' AS present;" + std::string(kCopy);
  const Result<void> written = database->execute(sql.c_str());
  INFO((written ? std::string() : written.error().message()));
  REQUIRE(written);
}

// What format 1 could say of recording.
Recording as_format_1(Recording recording) {
  recording.probe_costs = {};
  recording.budget_percent = 0;
  recording.calls_by_thread = recording.off_cpu_split = recording.off_cpu = false;
  recording.waits.clear();
  recording.page_faults = false;
  recording.faults.clear();
  recording.processes.clear();
  recording.call_nodes.clear();
  recording.latency_columns.clear();
  recording.slow_calls.clear();
  recording.spans.clear();
  for (auto& samples : recording.cpu) samples.slow_count = 0;
  for (Stack& stack : recording.stacks) stack.end = StackEnd::kUnknown;
  for (Frame& frame : recording.frames) {
    frame.file.clear();
    frame.line = frame.inline_depth = 0;
  }
  for (FunctionStats& f : recording.functions) {
    f.file.clear();
    f.line = 0;
    f.site_addr = 0;
    f.emulated_entry = f.emulated_exits = false;
    f.inlined_copies = f.threw = f.skipped = f.untimed_ns = f.attached_ns = f.detached_ns = 0;
    f.sample_every = 1;
    f.blocked_ns = f.runq_ns = f.self_blocked_ns = f.self_runq_ns = 0;
  }
  return recording;
}

}  // namespace

TEST_CASE("a recording of format 1 reads with what it lacks absent, and stays as it is", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("old.cscope");
  write_format_1(path, folder);
  for (int time = 0; time < 2; ++time) {
    const Result<Recording> read = read_recording(path);
    INFO((read ? std::string() : read.error().message()));
    REQUIRE(read);
    CHECK(*read == as_format_1(sample_recording()));
  }
}

TEST_CASE("a recording of format 2 reads without page faults", "[unit]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("old.cscope");
  Result<RecordingWriter> writer = RecordingWriter::create(path);
  REQUIRE(writer);
  REQUIRE(writer->finish(sample_recording()));
  {
    Result<Database> database = Database::open(path, SQLITE_OPEN_READWRITE, path);
    REQUIRE(database);
    REQUIRE(
        database->execute("DROP TABLE page_fault; ALTER TABLE recording DROP COLUMN page_faults;"
                          "PRAGMA user_version = 2"));
  }
  Recording expected = sample_recording();
  expected.page_faults = false;
  expected.faults.clear();
  const Result<Recording> read = read_recording(path);
  INFO((read ? std::string() : read.error().message()));
  REQUIRE(read);
  CHECK(*read == expected);
}
