// SPDX-License-Identifier: Apache-2.0
// gdb, attached to a process, which it stops at random moments and whose stacks it shows. Owns gdb;
// the process goes on when the session ends. One thread. For tests only.
#pragma once

#include <sys/types.h>
#include <sys/user.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "sys/fd.hpp"

namespace callscope::test {

struct GdbStop {
  pid_t tid = 0;
  user_regs_struct registers{};       // the general ones
  std::vector<std::uint64_t> frames;  // leaf first, without inlined functions
  std::string reason;                 // why there are no more, in gdb's words
};

class GdbSession {
 public:
  // Fails if gdb cannot be started or cannot attach.
  static Result<std::unique_ptr<GdbSession>> attach(pid_t pid, std::uint64_t seed);
  GdbSession(const GdbSession&) = delete;
  GdbSession& operator=(const GdbSession&) = delete;
  ~GdbSession();

  // Lets the process run for a few milliseconds, then stops it when one of its threads runs, or
  // anywhere if none does for a while. It stands still until the next call. Fails when it has
  // ended.
  Result<GdbStop> stop();

 private:
  GdbSession(pid_t pid, std::uint64_t seed) : pid_(pid), random_(seed) {}
  Result<void> start();
  Result<void> send(const std::string& line);
  Result<std::string> answer();
  [[nodiscard]] std::vector<pid_t> threads_in_state(const char* states) const;
  void await_resumed() const;

  pid_t pid_;
  pid_t gdb_ = -1;
  std::mt19937_64 random_;
  Fd requests_;
  Fd answers_;
  std::string buffer_;
};

}  // namespace callscope::test
