// SPDX-License-Identifier: Apache-2.0
// Folded stacks: the text format of FlameGraph's stackcollapse tools, of bcc (-f) and of callscope.
// One stack a line, frames joined by ';' from the root to the leaf, then a blank and the weight.
// Pure functions on text that the caller owns. A malformed line is counted and skipped; parsing
// fails only if no stack is left.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "callscope/error.hpp"

namespace callscope {

struct FoldedStack {
  std::vector<std::string> frames;  // root first; never empty when it comes from parse_folded
  std::uint64_t weight = 0;         // in a unit that only the producer knows
};

struct FoldedStats {
  std::uint64_t lines = 0;               // all of them, comments and empty ones too
  std::uint64_t skipped = 0;             // malformed, and so not in the result
  std::uint64_t first_skipped_line = 0;  // counted from 1; 0: none
  std::string first_skipped_reason;      // "no weight after the last blank"
};

// Accepts CR LF, empty lines, lines that start with '#', a byte order mark, frames with blanks and
// any other byte, and weights with a fraction (rounded half up). kCorrupt if there is no valid
// line, or if it is no text at all. stats may be null; it is filled in either case.
Result<std::vector<FoldedStack>> parse_folded(std::string_view text, FoldedStats* stats = nullptr);

}  // namespace callscope
