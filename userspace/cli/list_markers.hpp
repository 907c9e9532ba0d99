// SPDX-License-Identifier: Apache-2.0
// The part of "callscope list" that shows USDT markers, asked for by a glob usdt:PROVIDER:NAME.
// Prints to standard output; fails when nothing matches, or the process or file cannot be read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "callscope/error.hpp"

namespace callscope::cli {

// Of the files that pid has mapped, or of one file. The value is the exit code.
Result<int> list_markers(std::int32_t pid, std::string_view glob, bool json);
Result<int> list_markers(const std::string& path, std::string_view glob, bool json);

}  // namespace callscope::cli
