// SPDX-License-Identifier: Apache-2.0
// Functions of the C library that no unwinder ever passes on its way to their caller: they do not
// throw, do not call back into the program, and are no cancellation points. Pure; thread-safe.
#pragma once

#include <string_view>

namespace callscope {

// name: the linker name of what a PLT stub leads to.
bool is_harmless_call(std::string_view name);

}  // namespace callscope
