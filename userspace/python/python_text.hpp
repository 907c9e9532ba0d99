// SPDX-License-Identifier: Apache-2.0
// Strings as CPython keeps them, 1, 2 or 4 bytes a character, as UTF-8. Bytes of the target: what
// is no character becomes U+FFFD. Pure function.
#pragma once

#include <cstdint>
#include <string>

#include "callscope/abi/python.h"
#include "elf/bytes.hpp"

namespace callscope {

// bytes: the buffer that the text was copied into; "..." is behind a text that it had no room for.
// Empty: it could not be read.
std::string python_text(const cs_python_text& text, ByteSpan bytes);

}  // namespace callscope
