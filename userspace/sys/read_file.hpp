// SPDX-License-Identifier: Apache-2.0
// Whole small files (procfs, sysfs) as strings. Thread-safe; no state.
#pragma once

#include <string>

#include "callscope/error.hpp"

namespace callscope {

// Reads to end of file, at most max_bytes (then kCorrupt). kNotFound for ENOENT and ESRCH,
// kNotPermitted for EACCES and EPERM, else kIo.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes = 256U << 20);

// Target of a symbolic link, same errors.
Result<std::string> read_link(const std::string& path);

}  // namespace callscope
