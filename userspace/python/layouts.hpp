// SPDX-License-Identifier: Apache-2.0
// Where the fields lie that the walker of Python frames reads, by version of CPython. 3.11 and 3.12
// are tables made from CPython's headers (Include/internal, Include/cpython), which do not change
// within a minor version; 3.13 says it itself. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "callscope/abi/python.h"
#include "elf/bytes.hpp"

namespace callscope {

// Py_Version: major, minor and micro version, then release level (0xF: final) and serial.
struct PythonVersion {
  std::uint32_t hex = 0;

  [[nodiscard]] std::uint32_t major() const { return hex >> 24; }
  [[nodiscard]] std::uint32_t minor() const { return hex >> 16 & 0xff; }
  [[nodiscard]] std::uint32_t micro() const { return hex >> 8 & 0xff; }
  // Alpha and beta versions still change their structures.
  [[nodiscard]] bool stable() const { return (hex >> 4 & 0xf) >= 0xc; }
};

// Offset of PyTypeObject.tp_dealloc, bytes: the same in all these versions.
inline constexpr std::uint64_t kPythonTypeDestructor = 48;

// runtime: the bytes of _PyRuntime in the file, which 3.13 begins with its debug offsets. Nothing:
// an unknown version, an early one, damaged offsets, or an interpreter without the global lock.
std::optional<cs_python_layout> python_layout(PythonVersion version, ByteSpan runtime);

}  // namespace callscope
