// SPDX-License-Identifier: Apache-2.0
// Counts the open descriptors of a process by kind, from the names of the links in /proc/PID/fd;
// opens none of them. Descriptors that close meanwhile are left out.
#pragma once

#include <cstdint>

#include "callscope/error.hpp"

namespace callscope {

struct FdKinds {
  std::uint64_t files = 0;  // regular files
  std::uint64_t sockets = 0;
  std::uint64_t pipes = 0;  // named ones included
  std::uint64_t anon = 0;   // eventfd, epoll, timerfd, memfd, dmabuf ...
  std::uint64_t other = 0;  // devices, directories, namespaces, what could not be read

  [[nodiscard]] std::uint64_t all() const { return files + sockets + pipes + anon + other; }
};

// kNotFound when the process is gone, kNotPermitted when it is somebody else's.
Result<FdKinds> count_fds(std::int32_t pid);

}  // namespace callscope
