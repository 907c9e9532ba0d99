// SPDX-License-Identifier: Apache-2.0
// Whether bytes between two functions are nothing but filling, which is never executed. Pure.
#pragma once

#include "elf/bytes.hpp"

namespace callscope {

// Zeros, int3, and the nops of any length that assemblers align x86-64 code with.
bool is_padding(ByteSpan bytes);

// Whether the bytes can hold a call: false is certain, true is not.
bool may_call(ByteSpan bytes);

}  // namespace callscope
