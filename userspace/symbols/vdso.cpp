// SPDX-License-Identifier: Apache-2.0
#include "symbols/vdso.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sys/fd.hpp"

namespace callscope {

Result<ModuleImage> read_vdso(std::int32_t pid, const Mapping& mapping) {
  const std::string path = fmt::format("/proc/{}/mem", pid);
  const Fd mem(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!mem.valid()) {
    const int err = errno;
    return fail(err == ENOENT ? ErrorCode::kNotFound : ErrorCode::kNotPermitted,
                "cannot open " + path, {}, err);
  }
  std::vector<std::uint8_t> bytes(std::min<std::uint64_t>(mapping.end - mapping.start, 1U << 20));
  const ssize_t got =
      ::pread(mem.get(), bytes.data(), bytes.size(), static_cast<off_t>(mapping.start));
  if (got != static_cast<ssize_t>(bytes.size()))
    return fail(ErrorCode::kIo, "cannot read the vdso from " + path, {}, got < 0 ? errno : 0);
  return ModuleImage::from_memory(std::move(bytes));
}

}  // namespace callscope
