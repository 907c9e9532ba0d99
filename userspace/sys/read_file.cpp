// SPDX-License-Identifier: Apache-2.0
#include "sys/read_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "sys/fd.hpp"

namespace callscope {
namespace {

std::unexpected<Error> file_error(const std::string& what, int err) {
  if (err == ENOENT || err == ESRCH) return fail(ErrorCode::kNotFound, what, {}, err);
  if (err == EACCES || err == EPERM) return fail(ErrorCode::kNotPermitted, what, {}, err);
  return fail(ErrorCode::kIo, what, {}, err);
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return file_error("cannot open " + path, errno);
  std::string text;
  std::array<char, 16384> chunk{};
  for (;;) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error("cannot read " + path, errno);
    if (got == 0) return text;
    if (text.size() + static_cast<std::size_t>(got) > max_bytes)
      return fail(ErrorCode::kCorrupt, path + " is larger than expected");
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

Result<std::string> read_link(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  if (length < 0) return file_error("cannot read link " + path, errno);
  return std::string(target.data(), static_cast<std::size_t>(length));
}

}  // namespace callscope
