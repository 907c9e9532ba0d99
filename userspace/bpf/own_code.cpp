// SPDX-License-Identifier: Apache-2.0
#include "bpf/own_code.hpp"

#include <link.h>

#include <span>

namespace callscope {
namespace {

struct Located {
  std::uint64_t addr;
  std::uint64_t file_off;
};

// dl_iterate_phdr callback: stops at the segment that holds the address.
int locate_in_object(dl_phdr_info* object, std::size_t, void* data) {
  auto& wanted = *static_cast<Located*>(data);
  for (const auto& segment : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
    const std::uint64_t start = object->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || wanted.addr - start >= segment.p_filesz) continue;
    wanted.file_off = wanted.addr - start + segment.p_offset;
    return 1;
  }
  return 0;
}

}  // namespace

Result<Probe> probe_own_code(const void* code, std::uint64_t cookie) {
  Located located{reinterpret_cast<std::uint64_t>(code), 0};
  if (::dl_iterate_phdr(locate_in_object, &located) == 0)
    return fail(ErrorCode::kInternal, "cannot find our own code in memory");
  return Probe{"/proc/self/exe", located.file_off, cookie};
}

}  // namespace callscope
