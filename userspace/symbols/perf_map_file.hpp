// SPDX-License-Identifier: Apache-2.0
// Follows the perf map of one process: finds the file (in the target's own /tmp under the PID it
// sees, then in ours), keeps it open so that it outlives the process, and reads what was appended.
// Files of another user than the target's or root are refused. Not thread-safe; nothing fails:
// without a file the map is empty.
#pragma once

#include <cstdint>

#include "symbols/perf_map.hpp"
#include "symbols/target_root.hpp"
#include "sys/fd.hpp"

namespace callscope {

class PerfMapFile {
 public:
  explicit PerfMapFile(std::int32_t pid) : pid_(pid) {}

  // Opens the file if it is there now and reads the lines added since the last call; root may be
  // null. True if there were any.
  bool refresh(const TargetRoot* root);
  // The map of a fork's parent, at the moment of the fork.
  void inherit(const PerfMap& parent) { map_ = parent; }

  [[nodiscard]] const PerfMap& map() const { return map_; }

 private:
  void open(const TargetRoot* root);

  std::int32_t pid_;
  Fd fd_;
  std::uint64_t file_pos_ = 0;  // first byte not yet parsed
  PerfMap map_;
};

}  // namespace callscope
