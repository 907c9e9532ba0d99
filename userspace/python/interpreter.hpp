// SPDX-License-Identifier: Apache-2.0
// Whether a module is a CPython interpreter, and all that the walker of its frames must know: found
// by symbols that every build exports (.dynsym), so that stripped ones are known as well. The image
// is needed during the call only. Bytes of the target: untrusted. Pure function, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "callscope/abi/python.h"
#include "elf/elf_image.hpp"
#include "python/layouts.hpp"

namespace callscope {

struct PythonInterpreter {
  PythonVersion version;
  // With addresses in the ELF file: those of a process are bias higher.
  cs_python_process process{};
  // Why its functions cannot be shown, "CPython 3.10 or older"; empty: they can.
  std::string unknown;

  [[nodiscard]] cs_python_process at(std::uint64_t bias) const;
};

// Nothing: the module is no interpreter.
std::optional<PythonInterpreter> find_interpreter(const ElfImage& image);

}  // namespace callscope
