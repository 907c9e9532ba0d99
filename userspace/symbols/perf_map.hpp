// SPDX-License-Identifier: Apache-2.0
// Names of JIT-compiled code, which a runtime appends to /tmp/perf-PID.map ("START SIZE NAME",
// hexadecimal). The file comes from the target and is untrusted: bad lines are counted, never
// fatal. Where entries overlap the later line wins, since code memory is reused. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "callscope/error.hpp"

namespace callscope {

inline constexpr std::size_t kMaxJitNameBytes = 4096;  // longer names are cut

class PerfMap {
 public:
  struct Match {
    std::string_view name;  // valid until the next add()
    std::uint64_t sym_off = 0;
  };

  // Takes whole lines; returns how many bytes of text they were. The rest, a line that is still
  // being written, is to be given again.
  std::size_t add(std::string_view text);

  // Code at [start, start + size), newer than all that is known there.
  void add_code(std::uint64_t start, std::uint64_t size, std::string_view name);
  void remove_code(std::uint64_t start, std::uint64_t size);

  [[nodiscard]] std::optional<Match> find(std::uint64_t addr) const;
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::uint64_t bad_lines() const { return bad_lines_; }
  [[nodiscard]] std::uint64_t dropped_lines() const { return dropped_lines_; }  // past the limit

 private:
  struct Entry {
    std::uint64_t end = 0;    // exclusive
    std::uint64_t start = 0;  // of the function; the key is later where a newer one cut it
    std::string name;
  };
  bool add_line(std::string_view line);
  void cut_out(std::uint64_t start, std::uint64_t end);
  void insert(std::uint64_t start, std::uint64_t end, std::string_view name);

  std::map<std::uint64_t, Entry> entries_;  // by first address, disjoint
  std::uint64_t bad_lines_ = 0;
  std::uint64_t dropped_lines_ = 0;
};

}  // namespace callscope
