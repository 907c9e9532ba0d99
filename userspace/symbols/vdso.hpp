// SPDX-License-Identifier: Apache-2.0
// The vdso is an ELF image that the kernel maps into each process; no file holds it, so it is
// copied from the memory of the process. Thread-safe. Fails when the process is gone or may not be
// read, or when the memory is no ELF image.
#pragma once

#include <cstdint>

#include "callscope/error.hpp"
#include "symbols/module_image.hpp"
#include "target/maps.hpp"

namespace callscope {

// mapping is the one whose path is "[vdso]". At most 1 MiB is read.
Result<ModuleImage> read_vdso(std::int32_t pid, const Mapping& mapping);

}  // namespace callscope
