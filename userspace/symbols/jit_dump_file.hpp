// SPDX-License-Identifier: Apache-2.0
// Follows the jitdump file of one process, which the process maps to say that it writes one; keeps
// it open so that it outlives the process, and reads what was appended. Not thread-safe; nothing
// fails: without a file there are no names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "symbols/jit_dump.hpp"
#include "symbols/target_root.hpp"
#include "sys/fd.hpp"
#include "target/maps.hpp"

namespace callscope {

// An executable mapping of a file named jit-NUMBER.dump: the runtime's mark for profilers.
bool is_jit_dump(const Mapping& mapping);

class JitDumpFile {
 public:
  // Opens the mapped file through the process, else by its path inside root (may be null). No
  // effect once a file is open.
  void open(std::int32_t pid, const Mapping& mapping, const TargetRoot* root);
  // Reads what was added since the last call. True if there were records.
  bool refresh();
  // What the parent of a fork had, at the moment of the fork.
  void inherit(const JitDumpFile& parent) { dump_ = parent.dump_; }

  [[nodiscard]] const JitDump& dump() const { return dump_; }

 private:
  Fd fd_;
  std::uint64_t file_pos_ = 0;  // first byte not yet taken
  std::vector<std::uint8_t> buffer_;
  JitDump dump_;
};

}  // namespace callscope
