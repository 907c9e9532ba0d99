// SPDX-License-Identifier: Apache-2.0
#include "store/database.hpp"

#include <cmath>

namespace callscope::store {
namespace {

// SQLite knows only ENOSPC as "full"; a size limit (EFBIG) or quota (EDQUOT) is one of these.
bool is_write_failure(int extended_code) {
  return extended_code == SQLITE_IOERR_WRITE || extended_code == SQLITE_IOERR_FSYNC ||
         extended_code == SQLITE_IOERR_DIR_FSYNC || extended_code == SQLITE_IOERR_TRUNCATE;
}

}  // namespace

Error database_error(sqlite3* handle, int rc, const std::string& path) {
  const int system_error = handle != nullptr ? sqlite3_system_errno(handle) : 0;
  const std::string detail = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(rc);
  switch (rc & 0xFF) {
    case SQLITE_FULL:
      return {ErrorCode::kIo, "cannot write " + path + ": the disk is full",
              "free some space; what was flushed before stays readable", 0};
    case SQLITE_CORRUPT:
      return {ErrorCode::kCorrupt, path + " is damaged: " + detail, "record again", 0};
    case SQLITE_NOTADB:
      return {ErrorCode::kCorrupt, path + " is not a callscope recording", "", 0};
    case SQLITE_IOERR:
      if (is_write_failure(rc)) {
        return {ErrorCode::kIo, "cannot write " + path + ": " + detail,
                "check size limit, quota and disk; what was flushed before stays readable",
                system_error};
      }
      return {ErrorCode::kIo, "input/output error on " + path + ": " + detail, "", system_error};
    case SQLITE_BUSY:
      return {ErrorCode::kIo, path + " is locked by another program", "close it and try again", 0};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return {ErrorCode::kIo, "cannot open " + path + ": " + detail, "", system_error};
    default:
      return {ErrorCode::kInternal, "SQLite failed on " + path + ": " + detail, "", 0};
  }
}

bool Statement::next() {
  rc_ = sqlite3_step(handle_.get());
  return rc_ == SQLITE_ROW;
}

Result<void> Statement::status() const {
  if (rc_ == SQLITE_OK || rc_ == SQLITE_ROW || rc_ == SQLITE_DONE) return {};
  return std::unexpected(database_error(sqlite3_db_handle(handle_.get()), rc_, path_));
}

Result<void> Statement::finish_run() {
  if (rc_ == SQLITE_OK) rc_ = sqlite3_step(handle_.get());
  Result<void> outcome = status();
  sqlite3_reset(handle_.get());
  rc_ = SQLITE_OK;
  return outcome;
}

std::int64_t Statement::integer(int column) {
  if (sqlite3_column_type(handle_.get(), column) != SQLITE_INTEGER) malformed_ = true;
  return sqlite3_column_int64(handle_.get(), column);
}

double Statement::real(int column) {
  const int type = sqlite3_column_type(handle_.get(), column);
  const double value = sqlite3_column_double(handle_.get(), column);
  if ((type != SQLITE_FLOAT && type != SQLITE_INTEGER) || !std::isfinite(value)) malformed_ = true;
  return value;
}

std::string Statement::text(int column) {
  if (sqlite3_column_type(handle_.get(), column) != SQLITE_TEXT) {
    malformed_ = true;
    return {};
  }
  const void* const bytes = sqlite3_column_blob(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  if (bytes == nullptr || size <= 0) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

Result<Database> Database::open(const std::string& name, int flags, const std::string& path) {
  sqlite3* raw = nullptr;
  const int rc = sqlite3_open_v2(name.c_str(), &raw, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database(raw, path);
  if (rc != SQLITE_OK) return std::unexpected(database_error(raw, rc, path));
  return database;
}

Result<void> Database::execute(const char* sql) {
  const int rc = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return std::unexpected(database_error(handle(), rc, path_));
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int rc =
      sqlite3_prepare_v2(handle(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  if (rc != SQLITE_OK) return std::unexpected(database_error(handle(), rc, path_));
  return Statement(raw, path_);
}

}  // namespace callscope::store
