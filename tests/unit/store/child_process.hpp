// SPDX-License-Identifier: Apache-2.0
// A forked child that runs one function, and a pipe on which it says when it is ready. The child is
// killed and reaped when the object goes. For the tests of this folder only.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>

#include "sys/fd.hpp"

namespace callscope::test {

class ChildProcess {
 public:
  // body gets a function that reports readiness; its result is the exit status.
  explicit ChildProcess(const std::function<int(const std::function<void()>& ready)>& body) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    ready_ = Fd(ends[0]);
    Fd report(ends[1]);
    pid_ = ::fork();
    if (pid_ != 0) return;
    const int status = body([&] {
      const char byte = 1;
      static_cast<void>(::write(report.get(), &byte, 1) == 1);
    });
    ::_exit(status);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() { kill(); }

  // False when the child ended before it was ready.
  [[nodiscard]] bool wait_ready() const {
    char byte = 0;
    return ::read(ready_.get(), &byte, 1) == 1;
  }
  void kill() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    static_cast<void>(wait());
  }
  // Exit status, -1 for a signal.
  int wait() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(pid_, &status, 0) != pid_) return -1;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  Fd ready_;
  pid_t pid_ = -1;
};

}  // namespace callscope::test
