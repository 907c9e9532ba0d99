// SPDX-License-Identifier: Apache-2.0
// Shortens demangled names by a single scan. Linear in the length of the name; pure, thread-safe.
// A name whose brackets do not match is returned unchanged.
#pragma once

#include <string>
#include <string_view>

namespace callscope {

// C++: drops template arguments, parameter lists, return types and [abi:...] tags. operator<,
// operator->, operator() and {lambda()#1} survive; "(anonymous namespace)" stays readable.
std::string simple_cpp_name(std::string_view demangled);

// Rust: drops generic arguments ("f::<T>" and "f<T>"); keeps "<T as Trait>::f" and {closure#0}.
std::string simple_rust_name(std::string_view demangled);

}  // namespace callscope
