// SPDX-License-Identifier: Apache-2.0
// One single-threaded process under ptrace: stops, registers, memory words and int3 breakpoints.
// x86-64. Owns nothing: the launcher owns the child. All calls must come from the thread that
// forked the child (a rule of ptrace). Any call fails with ESRCH once the tracee has been killed.
#pragma once

#include <sys/types.h>
#include <sys/user.h>

#include <cstdint>

#include "callscope/error.hpp"

namespace callscope {

// Where a tracee came to rest.
struct TraceeStop {
  int status = 0;      // of waitpid
  bool ended = false;  // exited or killed: status is final
  int signal = 0;      // about to be delivered; pass it on to resume(); 0 for our own stops
  bool exec = false;   // PTRACE_EVENT_EXEC
  bool trap = false;   // int3 or single step of ours
};

class Tracee {
 public:
  explicit Tracee(pid_t pid) : pid_(pid) {}

  [[nodiscard]] pid_t pid() const { return pid_; }

  // Blocks until the next stop or the end.
  [[nodiscard]] Result<TraceeStop> wait() const;
  // Killed if we die; exec is reported as its own kind of stop.
  [[nodiscard]] Result<void> set_options() const;
  [[nodiscard]] Result<void> resume(int signal = 0) const;
  [[nodiscard]] Result<void> single_step() const;
  // Ends the tracing and lets it run on its own.
  [[nodiscard]] Result<void> detach() const;

  [[nodiscard]] Result<user_regs_struct> registers() const;
  [[nodiscard]] Result<void> set_registers(const user_regs_struct& registers) const;
  [[nodiscard]] Result<std::uint64_t> read_word(std::uint64_t addr) const;
  [[nodiscard]] Result<void> write_word(std::uint64_t addr, std::uint64_t word) const;

 private:
  pid_t pid_;
};

// One int3 in a tracee. Holds the original bytes; remove() puts them back exactly.
class Breakpoint {
 public:
  static Result<Breakpoint> insert(const Tracee& tracee, std::uint64_t addr);

  [[nodiscard]] std::uint64_t addr() const { return addr_; }
  [[nodiscard]] Result<void> remove(const Tracee& tracee) const;
  [[nodiscard]] Result<void> reinsert(const Tracee& tracee) const;

 private:
  Breakpoint(std::uint64_t addr, std::uint64_t original) : addr_(addr), original_(original) {}

  std::uint64_t addr_;
  std::uint64_t original_;  // the word at addr before the int3
};

}  // namespace callscope
