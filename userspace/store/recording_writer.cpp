// SPDX-License-Identifier: Apache-2.0
#include "store/recording_writer.hpp"

#include <utility>

#include "store/database.hpp"
#include "store/recording_tables.hpp"
#include "store/schema.hpp"

namespace callscope {

using store::Database;
using store::OutputFile;
using store::RecordingTables;

namespace {

// A reader may hold its lock for a moment while we leave WAL mode at the end.
constexpr int kBusyTimeoutMs = 2000;

// The schema is written with the journal in memory, so that SQLite never opens a -journal file by
// name; then the -wal and -shm are created by us (exclusively, with their owner) before SQLite
// opens them.
Result<Database> create_database(const std::string& path, std::optional<FileOwner> owner) {
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX;
  Result<Database> database = Database::open(path, kFlags, path);
  if (!database) return database;
  sqlite3_busy_timeout(database->handle(), kBusyTimeoutMs);
  CS_TRY(database->execute("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = NORMAL; BEGIN"));
  CS_TRY(database->execute(store::kSchemaSql));
  CS_TRY(database->execute("COMMIT"));
  CS_TRY(store::create_companion(path + "-wal", owner));
  CS_TRY(store::create_companion(path + "-shm", owner));
  CS_TRY(database->execute("PRAGMA journal_mode = WAL"));
  return database;
}

}  // namespace

class RecordingWriter::State {
 public:
  State(OutputFile file, Database database)
      : file_(std::move(file)), database_(std::move(database)) {}

  Result<void> write(const Recording& recording, bool finished) {
    Result<void> outcome = database_.execute("BEGIN IMMEDIATE");
    if (outcome) outcome = tables_.put(database_, recording, finished);
    if (outcome) outcome = database_.execute("COMMIT");
    if (!outcome) {
      // SQLite may have rolled back itself; then this fails and nothing is lost by it.
      static_cast<void>(database_.execute("ROLLBACK"));
      tables_ = RecordingTables(true);
    }
    return outcome;
  }

  // Folds the -wal into the file. When a reader still has it open the data is complete but the
  // -wal stays; that is no failure.
  Result<void> fold() {
    const Result<void> folded = database_.execute("PRAGMA journal_mode = MEMORY");
    if (folded || sqlite3_extended_errcode(database_.handle()) == SQLITE_BUSY) return {};
    return folded;
  }

 private:
  OutputFile file_;  // outlives the database, see output_file.hpp
  Database database_;
  RecordingTables tables_{false};
};

RecordingWriter::RecordingWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
RecordingWriter::RecordingWriter(RecordingWriter&&) noexcept = default;
RecordingWriter& RecordingWriter::operator=(RecordingWriter&&) noexcept = default;
RecordingWriter::~RecordingWriter() = default;

Result<RecordingWriter> RecordingWriter::create(const std::string& path,
                                                std::optional<FileOwner> owner) {
  Result<OutputFile> file = store::create_output_file(path, owner);
  if (!file) return std::unexpected(file.error());
  Result<Database> database = create_database(file->path, owner);
  if (!database) {
    static_cast<void>(store::remove_recording(file->path));
    return std::unexpected(database.error());
  }
  return RecordingWriter(std::make_unique<State>(std::move(*file), std::move(*database)));
}

Result<void> RecordingWriter::flush(const Recording& recording) {
  return state_->write(recording, false);
}

Result<void> RecordingWriter::finish(const Recording& recording) {
  CS_TRY(state_->write(recording, true));
  return state_->fold();
}

}  // namespace callscope
