// SPDX-License-Identifier: Apache-2.0
// The first 100 bytes of an SQLite file, which tell a recording from anything else before SQLite
// touches it (https://www.sqlite.org/fileformat.html, section 1.3). Pure reading of one descriptor.
#pragma once

#include <cstdint>
#include <string>

#include "callscope/error.hpp"

namespace callscope::store {

struct FileHeader {
  bool is_sqlite = false;
  bool is_recording = false;         // SQLite with our application_id
  std::uint32_t version = 0;         // user_version: the format version
  bool wal = false;                  // written in WAL mode: a -wal file may belong to it
  std::uint64_t expected_bytes = 0;  // page size times page count
};

// A file too short for a header is no SQLite file; only a failing read is an error.
Result<FileHeader> read_file_header(int fd, const std::string& path);

}  // namespace callscope::store
