// SPDX-License-Identifier: Apache-2.0
// Text from anywhere made safe to stand in an XML document, and cut to the room that a label has.
// Pure functions; any bytes are accepted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace callscope {

// Valid UTF-8 of characters that XML 1.0 allows: tabs and newlines become blanks; bytes that are
// not UTF-8, control characters and marks that reverse the reading direction become U+FFFD.
std::string clean_text(std::string_view text);

// Escapes & < > " ' for content and attributes.
std::string xml_escape(std::string_view clean);

// The text if it is at most columns wide, else its start and an ellipsis; empty when fewer than
// three columns are left for a cut text. East Asian wide characters count twice.
std::string fit_text(std::string_view clean, std::size_t columns);

}  // namespace callscope
