// SPDX-License-Identifier: Apache-2.0
// Reading the rows of one table that may come from anyone: any wrong type, range or name makes the
// file "damaged". Private to this folder; no state.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "callscope/error.hpp"
#include "store/database.hpp"

namespace callscope::store {

inline Error damaged(const Database& database, std::string_view table) {
  return {ErrorCode::kCorrupt,
          database.path() + " is damaged: table " + std::string(table) + " holds invalid data",
          "record again", 0};
}

// Runs sql and hands each row to read_row, which returns false for a row that cannot be.
template <typename ReadRow>
Result<void> for_rows(Database& database, std::string_view table, std::string_view sql,
                      ReadRow read_row) {
  Result<Statement> rows = database.prepare(sql);
  if (!rows) return std::unexpected(damaged(database, table));
  while (rows->next()) {
    if (!read_row(*rows) || rows->malformed()) return std::unexpected(damaged(database, table));
  }
  return rows->status();
}

// The index of text in names as an enum value; false if it is none of them.
template <typename Enum, std::size_t N>
bool parse_name(const std::array<std::string_view, N>& names, std::string_view text, Enum& out) {
  const auto found = std::ranges::find(names, text);
  out = static_cast<Enum>(found - names.begin());
  return found != names.end();
}

}  // namespace callscope::store
