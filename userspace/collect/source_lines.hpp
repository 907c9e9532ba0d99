// SPDX-License-Identifier: Apache-2.0
// What debug information adds to a recording once it has ended: file and line of each frame and of
// each called function, and frames of the functions that were inlined there, in the stacks before
// the one around them. Done at the end, since it takes its time, and by the recorder, since debug
// files may be gone later. One thread.
#pragma once

#include <cstdint>

#include "callscope/recording.hpp"
#include "collect/debug_info_ahead.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

struct SourceLineOptions {
  bool inlined_frames = true;
  std::uint64_t deadline_ns = ~std::uint64_t{0};  // CLOCK_MONOTONIC
};

// symbolizer is the one that made the frames of recording; no stack is added afterwards. What was
// opened ahead is used up. What could not be read in full is told by a note.
void add_source_lines(Recording& recording, const Symbolizer& symbolizer, DebugInfoAhead& ahead,
                      const SourceLineOptions& options);

}  // namespace callscope
