// SPDX-License-Identifier: Apache-2.0
// Thin owners of an SQLite connection and its prepared statements. A Database closes on
// destruction and must outlive its Statements. One thread at a time. Every failure is an Error that
// names the file; a full disk is told in plain words.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "callscope/error.hpp"

namespace callscope::store {

class Statement {
 public:
  // Binds all parameters in order and runs a statement that returns no rows. Texts are not copied.
  template <typename... Values>
  Result<void> run(const Values&... values) {
    int index = 0;
    (bind(++index, values), ...);
    return finish_run();
  }

  // Steps to the next row; false at the end and on failure, which status() then tells.
  bool next();
  [[nodiscard]] Result<void> status() const;

  // Columns of the current row. A value of another type or out of range sets malformed().
  std::uint64_t u64(int column) { return static_cast<std::uint64_t>(integer(column)); }
  template <std::integral T>
  T number(int column) {
    const std::int64_t value = integer(column);
    if (std::in_range<T>(value)) return static_cast<T>(value);
    malformed_ = true;
    return T{};
  }
  double real(int column);  // finite
  bool flag(int column) { return number<std::uint8_t>(column) != 0; }
  std::string text(int column);
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Statement(sqlite3_stmt* handle, const std::string& path) : handle_(handle), path_(path) {}

  template <std::integral T>
  void bind(int index, const T& value) {
    note_rc(sqlite3_bind_int64(handle_.get(), index, static_cast<sqlite3_int64>(value)));
  }
  void bind(int index, double value) { note_rc(sqlite3_bind_double(handle_.get(), index, value)); }
  void bind(int index, std::string_view value) {
    note_rc(sqlite3_bind_text64(handle_.get(), index, value.data() == nullptr ? "" : value.data(),
                                value.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  void bind(int index, const std::string& value) { bind(index, std::string_view(value)); }
  template <std::integral T>
  void bind(int index, const std::optional<T>& value) {
    if (value) return bind(index, *value);
    note_rc(sqlite3_bind_null(handle_.get(), index));
  }
  void note_rc(int rc) {
    if (rc_ == SQLITE_OK) rc_ = rc;
  }
  Result<void> finish_run();
  std::int64_t integer(int column);

  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  std::string path_;
  int rc_ = SQLITE_OK;
  bool malformed_ = false;
};

class Database {
 public:
  // name: a path, or a "file:" URI when flags has SQLITE_OPEN_URI. path: for messages.
  static Result<Database> open(const std::string& name, int flags, const std::string& path);

  Result<void> execute(const char* sql);
  Result<Statement> prepare(std::string_view sql);
  [[nodiscard]] sqlite3* handle() { return handle_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
};

// The failure rc of a call on handle as an Error about the file at path.
Error database_error(sqlite3* handle, int rc, const std::string& path);

}  // namespace callscope::store
