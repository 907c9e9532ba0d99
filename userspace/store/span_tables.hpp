// SPDX-License-Identifier: Apache-2.0
// The tables about spans and counted markers. SpanTables remembers what is in the file, so that a
// flush writes only differences; owned by RecordingTables, the same rules. read_spans checks all
// that it reads.
#pragma once

#include <vector>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "store/database.hpp"

namespace callscope::store {

class SpanTables {
 public:
  // Spans may be added behind those of the last call, never taken away.
  Result<void> put(Database& database, const Recording& recording);

 private:
  std::vector<SpanStats> spans_;
};

// A file without these tables (an older callscope) has no spans.
Result<void> read_spans(Database& database, Recording& out);

}  // namespace callscope::store
