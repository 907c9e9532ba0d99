// SPDX-License-Identifier: Apache-2.0
#include "sys/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "sys/fd.hpp"
#include "sys/lost_pages.hpp"

namespace callscope {

Result<MappedFile> MappedFile::open(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    const int err = errno;
    return fail(err == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "cannot open " + path, {},
                err);
  }
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return fail(ErrorCode::kIo, "cannot stat " + path, {}, errno);
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::kUsage, path + " is not a regular file");
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return fail(ErrorCode::kCorrupt, path + " is empty");
  void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) return fail(ErrorCode::kIo, "cannot map " + path, {}, errno);
  guard_pages(data, size);
  return MappedFile(data, size);
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  unguard_pages(data_);
  ::munmap(data_, size_);
}

}  // namespace callscope
