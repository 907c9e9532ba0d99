// SPDX-License-Identifier: Apache-2.0
// Unwind tables on disk by name (a build-id), shared by all runs on a machine. What was not used
// for the longest time goes first when there is too much; the time of last use is the file's mtime.
// Files are written beside and renamed, so readers see whole ones only; a file that is damaged or
// belongs to another user is as good as none. Never fails: a directory that cannot be used is told
// in problem(). Any thread may call, and several processes may share a directory.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "sys/fd.hpp"
#include "unwind/unwind_table.hpp"

namespace callscope {

struct UnwindCacheLimits {
  std::uint64_t max_bytes = 256ULL << 20;  // some 500 large modules
  std::chrono::seconds max_age = std::chrono::days(90);
};

struct UnwindCacheStats {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::int64_t oldest_use_s = 0;  // since the epoch; 0: no files
};

class UnwindCache {
 public:
  // /var/cache/callscope for root, else callscope in $XDG_CACHE_HOME or ~/.cache; empty if neither
  // is set.
  static std::string default_directory();

  // Makes the directory when the first table is stored.
  explicit UnwindCache(std::string directory, UnwindCacheLimits limits = {});
  UnwindCache(const UnwindCache&) = delete;
  UnwindCache& operator=(const UnwindCache&) = delete;

  // name: letters, digits, '.', '-'; at most 200 of them.
  std::optional<UnwindTable> load(const std::string& name);
  void store(const std::string& name, const UnwindTable& table);

  // Removes what is too old or too much; store() does so when it has to.
  void trim();
  // Removes all tables, nothing else that may lie there; gives what was removed.
  UnwindCacheStats clear();
  UnwindCacheStats stats();

  [[nodiscard]] const std::string& directory() const { return directory_; }
  // The first reason why a table could not be stored; empty if there was none.
  std::string problem();

 private:
  bool open_directory(bool create);
  void note(const std::string& what, int error);
  void trim_locked();

  const std::string directory_;
  const UnwindCacheLimits limits_;
  std::mutex mutex_;  // guards all below
  Fd fd_;             // of the directory; invalid until it was opened
  std::string problem_;
  std::optional<std::uint64_t> bytes_;  // of all tables as last counted, and since stored
  std::uint64_t next_temporary_ = 0;
};

}  // namespace callscope
