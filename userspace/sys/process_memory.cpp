// SPDX-License-Identifier: Apache-2.0
#include "sys/process_memory.hpp"

#include <sys/uio.h>

namespace callscope {

std::vector<std::uint8_t> read_process_memory(std::int32_t pid, std::uint64_t addr,
                                              std::size_t bytes) {
  std::vector<std::uint8_t> memory(bytes);
  const iovec to{memory.data(), bytes};
  // An address of the other process, never followed here.
  const iovec from{reinterpret_cast<void*>(addr), bytes};
  if (::process_vm_readv(pid, &to, 1, &from, 1, 0) != static_cast<ssize_t>(bytes)) memory.clear();
  return memory;
}

}  // namespace callscope
