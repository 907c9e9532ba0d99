// SPDX-License-Identifier: Apache-2.0
// Which probed functions a section of a report is about. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "callscope/recording.hpp"

namespace callscope {

// Does the glob of fnmatch(3) match its name, an alias or "LIB:NAME"?
bool function_matches(const Recording& recording, const FunctionStats& function,
                      const std::string& glob);

// Functions that were called and match, by total time from high to low, at most limit of them (0:
// all). Indexes into Recording::functions.
std::vector<std::uint32_t> matching_functions(const Recording& recording, const std::string& glob,
                                              std::size_t limit);

}  // namespace callscope
