// SPDX-License-Identifier: Apache-2.0
// Breaks texts for --help and the man page into lines. Pure function.
#pragma once

#include <string>
#include <string_view>

namespace callscope::cli {

// Paragraphs (parted by "\n") broken at blanks to at most width columns, each line indented.
// Words longer than a line stay whole. No newline at the end.
std::string word_wrap(std::string_view text, std::size_t width, std::string_view indent = "");

}  // namespace callscope::cli
