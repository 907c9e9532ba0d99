// SPDX-License-Identifier: Apache-2.0
// Creates the file of a new recording where a privileged recorder may be tricked: never through a
// symbolic link, never over a file that is not a recording. The returned Fd holds an advisory lock
// (flock) that marks the recording as being written; keep it until the database is closed, since
// closing any descriptor of a file drops SQLite's own locks on it. No state.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "callscope/error.hpp"
#include "sys/fd.hpp"

namespace callscope {

// To whom a file made by root is given: the user who called sudo.
struct FileOwner {
  uid_t uid = 0;
  gid_t gid = 0;
};

namespace store {

struct OutputFile {
  std::string path;  // absolute, parent folder free of symbolic links
  Fd lock;
};

// Replaces an existing recording (or empty file) at path; anything else there is a kUsage error.
Result<OutputFile> create_output_file(const std::string& path, std::optional<FileOwner> owner);

// Creates an empty companion (path + "-wal" ...) of the same owner; nobody else can then own it.
Result<void> create_companion(const std::string& path, std::optional<FileOwner> owner);

// Removes path and what SQLite may have put beside it. Missing files are fine.
Result<void> remove_recording(const std::string& path);

}  // namespace store
}  // namespace callscope
