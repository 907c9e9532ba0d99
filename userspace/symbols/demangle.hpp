// SPDX-License-Identifier: Apache-2.0
// Linker names to names for people: C++ (Itanium), Rust (v0 and legacy), by libiberty. Names come
// from untrusted files, so length, output and recursion are bounded; what cannot be demangled is
// returned as it was. No state, thread-safe, nothing fails.
#pragma once

#include <string>
#include <string_view>

#include "callscope/recording.hpp"

namespace callscope {

enum class DemangleLevel {
  kNone,    // the linker name
  kSimple,  // no parameters, template arguments, ABI tags, clone suffixes: ns::Class::method
  kFull,    // everything the linker name says: ns::Class<int>::method(char) [clone .cold]
};

// Names that are not mangled (C, Go, assembler) are kept; kSimple still drops .cold, .part.0 etc.
std::string demangle(std::string_view linker_name, DemangleLevel level);

// Rewrites frames[].function, functions[].name and aliases (those that read the same are merged).
void demangle_names(Recording& recording, DemangleLevel level);

}  // namespace callscope
