// SPDX-License-Identifier: Apache-2.0
// An inline function and templates that both units of the C++ sample use: the linker keeps one copy
// of their code and leaves the debug information of both. That of the copy that went points to the
// one that stayed when they are of one size (summed), else to nothing (scaled, whose size differs).
#pragma once

#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace inline_sample {

inline int clamped(int value) { return value < 0 ? 0 : value > 99 ? 99 : value; }

template <typename T>
__attribute__((noinline)) T summed(const std::vector<T>& values) {
  T sum{};
  for (const T& value : values) sum += static_cast<T>(clamped(static_cast<int>(value)));
  return sum;
}

template <typename T>
__attribute__((noinline)) T scaled(T value) {
#ifdef INLINE_SAMPLE_OTHER
  for (int i = 0; i < 100; ++i) value = static_cast<T>(clamped(static_cast<int>(value)) * i);
#endif
  return static_cast<T>(clamped(static_cast<int>(value)) + 3);
}

std::map<std::string, int> counted(const std::vector<std::string>& words);

}  // namespace inline_sample
