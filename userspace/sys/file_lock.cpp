// SPDX-License-Identifier: Apache-2.0
#include "sys/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "sys/clock.hpp"

namespace callscope {

Result<FileLock> FileLock::take(const std::string& path, std::uint64_t patience_ns) {
  constexpr useconds_t kPauseUs = 1000;
  const std::uint64_t deadline_ns = monotonic_ns() + patience_ns;
  // Nobody else may open it, who could keep us waiting.
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return fail(ErrorCode::kIo, "cannot open " + path, {}, errno);
  for (;;) {
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return FileLock(std::move(file));
    const int err = errno;
    if (err != EWOULDBLOCK && err != EINTR)
      return fail(ErrorCode::kIo, "cannot lock " + path, {}, err);
    if (monotonic_ns() >= deadline_ns)
      return fail(ErrorCode::kIo, "cannot lock " + path, {}, ETIMEDOUT);
    ::usleep(kPauseUs);
  }
}

}  // namespace callscope
