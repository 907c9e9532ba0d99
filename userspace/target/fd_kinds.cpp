// SPDX-License-Identifier: Apache-2.0
#include "target/fd_kinds.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

namespace callscope {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

std::unexpected<Error> fd_error(std::int32_t pid, int err) {
  const std::string what = fmt::format("cannot list the descriptors of process {}", pid);
  if (err == EACCES || err == EPERM)
    return fail(ErrorCode::kNotPermitted, what, "run as root", err);
  const bool gone = err == ENOENT || err == ESRCH;
  return fail(gone ? ErrorCode::kNotFound : ErrorCode::kIo, what, {}, err);
}

// Only what has a path needs its type; cached attributes will do, so that a network file system
// that hangs does not hang us.
void count_path(int folder, const char* name, FdKinds& kinds) {
  struct statx info{};
  if (::statx(folder, name, AT_STATX_DONT_SYNC, STATX_TYPE, &info) != 0) {
    ++kinds.other;
  } else if (S_ISREG(info.stx_mode)) {
    ++kinds.files;
  } else if (S_ISFIFO(info.stx_mode)) {
    ++kinds.pipes;
  } else {
    ++kinds.other;
  }
}

void count_one(int folder, const char* name, FdKinds& kinds) {
  std::array<char, 64> link{};  // the beginning tells the kind
  const ssize_t length = ::readlinkat(folder, name, link.data(), link.size());
  if (length < 0) {
    if (errno != ENOENT) ++kinds.other;  // ENOENT: closed meanwhile
    return;
  }
  const std::string_view target(link.data(), static_cast<std::size_t>(length));
  const auto starts_with = [&](std::string_view prefix) { return target.starts_with(prefix); };
  if (starts_with("socket:")) {
    ++kinds.sockets;
  } else if (starts_with("pipe:")) {
    ++kinds.pipes;
  } else if (starts_with("anon_inode:") || starts_with("/memfd:") || starts_with("/dmabuf:")) {
    ++kinds.anon;
  } else if (starts_with("/")) {
    count_path(folder, name, kinds);
  } else {
    ++kinds.other;
  }
}

}  // namespace

Result<FdKinds> count_fds(std::int32_t pid) {
  const Directory directory(::opendir(fmt::format("/proc/{}/fd", pid).c_str()));
  if (!directory) return fd_error(pid, errno);
  const int folder = ::dirfd(directory.get());
  FdKinds kinds;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.') count_one(folder, entry->d_name, kinds);
  }
  const int err = errno;
  if (err != 0) return fd_error(pid, err);
  return kinds;
}

}  // namespace callscope
