// SPDX-License-Identifier: Apache-2.0
// Reads a recording file back into memory. Opened read-only and left as it was found; also after
// the recorder was killed (its -wal file is read, not removed) and while it still writes.
// Thread-safe; no state. The file is not trusted: every id, type and range is checked.
#pragma once

#include <string>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"

namespace callscope {

// kNotFound: no such file. kUsage: a folder or device. kCorrupt: not a recording, made by another
// version, truncated or damaged. kNotPermitted, kIo: as the system says.
// cpu comes sorted by (stack, pid, tid), snapshots by t_ns; all else in the order it was written.
Result<Recording> read_recording(const std::string& path);

}  // namespace callscope
