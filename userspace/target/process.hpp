// SPDX-License-Identifier: Apache-2.0
// One process that we look at. Process owns a pidfd, so it names the same process for its whole
// life: a reused PID is noticed, never mistaken for the target. Reads procfs, changes nothing.
// Not synchronised; several threads may call const members. Every call may find the process gone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "sys/fd.hpp"

namespace callscope {

class Process {
 public:
  // kNotFound: no such PID, a thread ID, or a process that has ended. kUsage: a kernel thread or
  // ourselves. kUnsupported: no pidfd_open (before Linux 5.3).
  static Result<Process> open(std::int32_t pid);

  [[nodiscard]] std::int32_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }  // readable once the process has ended
  [[nodiscard]] std::uint64_t start_ticks() const { return start_ticks_; }

  // False as soon as the process has ended, reaped or not.
  [[nodiscard]] bool alive() const;

  // comm, exe, cmdline and start_ticks; the build-id needs the ELF file and is left empty.
  // exe is empty when we may not read the link.
  [[nodiscard]] Result<Target> describe() const;

  // The PID as the process itself sees it, in its innermost PID namespace.
  [[nodiscard]] Result<std::int32_t> namespace_pid() const;

 private:
  Process(std::int32_t pid, Fd pidfd, std::uint64_t start_ticks)
      : pid_(pid), pidfd_(std::move(pidfd)), start_ticks_(start_ticks) {}

  std::int32_t pid_;
  Fd pidfd_;
  std::uint64_t start_ticks_;
};

// All threads of a process, ascending by tid; threads that end meanwhile are left out.
Result<std::vector<Thread>> read_threads(std::int32_t pid);

}  // namespace callscope
