// SPDX-License-Identifier: Apache-2.0
// Names of JIT-compiled code as a runtime writes them into a jitdump file (jit-PID.dump; format:
// tools/perf/Documentation/jitdump-specification.txt of Linux): a header, then records of code that
// was loaded or moved, in the order of time. The file comes from the target and is untrusted:
// damage ends the reading, never fails. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "elf/bytes.hpp"
#include "symbols/perf_map.hpp"

namespace callscope {

class JitDump {
 public:
  // Takes whole records; returns how many bytes they are, which may be more than were given: the
  // rest is code, not needed. What is not taken, a record that is still being written, is to be
  // given again, with what follows it.
  std::uint64_t add(ByteSpan bytes);

  // Newer code takes the place of older code at the same addresses.
  [[nodiscard]] const PerfMap& map() const { return map_; }
  [[nodiscard]] bool damaged() const { return damaged_; }  // nothing is read behind the damage

 private:
  // Bytes of the record at pos; nothing: there is not enough of it yet, or it is damaged.
  std::optional<std::uint64_t> take_record(ByteSpan bytes, std::uint64_t pos);
  std::optional<std::uint64_t> take_header(ByteSpan bytes);
  bool load_code(ByteSpan record, std::uint64_t total_bytes);
  void move_code(ByteSpan record);

  PerfMap map_;
  bool begun_ = false;
  bool damaged_ = false;
};

}  // namespace callscope
