// SPDX-License-Identifier: Apache-2.0
#include "symbols/target_root.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>

namespace callscope {
namespace {

ErrorCode code_of(int err) {
  if (err == ENOENT || err == ESRCH || err == ENOTDIR) return ErrorCode::kNotFound;
  return err == EACCES || err == EPERM ? ErrorCode::kNotPermitted : ErrorCode::kIo;
}

std::string self_fd_path(const Fd& fd) { return fmt::format("/proc/self/fd/{}", fd.get()); }

// The file itself, not opened for reading yet: an O_PATH open never blocks.
Result<Fd> locate(const Fd& dir, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  Fd fd(static_cast<int>(::syscall(SYS_openat2, dir.get(), path.c_str(), &how, sizeof(how))));
  if (!fd.valid()) {
    const int err = errno;
    return fail(code_of(err), "cannot open " + path, {}, err);
  }
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return fail(ErrorCode::kIo, "cannot stat " + path, {}, errno);
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::kUsage, path + " is not a regular file");
  return fd;
}

}  // namespace

Result<TargetRoot> TargetRoot::at(const std::string& dir) {
  Fd fd(::open(dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) {
    const int err = errno;
    return fail(code_of(err), "cannot open " + dir, {}, err);
  }
  return TargetRoot(std::move(fd));
}

Result<TargetRoot> TargetRoot::of_process(std::int32_t pid) {
  return at(fmt::format("/proc/{}/root", pid));
}

Result<TargetRoot> TargetRoot::host() { return at("/"); }

bool TargetRoot::same_as(const TargetRoot& other) const {
  struct stat ours{};
  struct stat theirs{};
  return ::fstat(dir_.get(), &ours) == 0 && ::fstat(other.dir_.get(), &theirs) == 0 &&
         ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

Result<Fd> TargetRoot::open_file(const std::string& path) const {
  const Result<Fd> located = locate(dir_, path);
  if (!located) return std::unexpected(located.error());
  Fd fd(::open(self_fd_path(*located).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    const int err = errno;
    return fail(code_of(err), "cannot read " + path, {}, err);
  }
  return fd;
}

Result<MappedFile> TargetRoot::map_file(const std::string& path) const {
  const Result<Fd> located = locate(dir_, path);
  if (!located) return std::unexpected(located.error());
  Result<MappedFile> file = MappedFile::open(self_fd_path(*located));
  if (!file) file.error().what += " (" + path + ")";
  return file;
}

}  // namespace callscope
