// SPDX-License-Identifier: Apache-2.0
// A lock that all processes share which open the same file (flock): released when it is destroyed,
// and by the kernel when its owner dies. Move-only.
#pragma once

#include <cstdint>
#include <string>

#include "callscope/error.hpp"
#include "sys/fd.hpp"

namespace callscope {

class FileLock {
 public:
  // Makes the file if there is none; waits for others at most that long, then fails with kIo and
  // ETIMEDOUT.
  static Result<FileLock> take(const std::string& path, std::uint64_t patience_ns);

 private:
  explicit FileLock(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

}  // namespace callscope
