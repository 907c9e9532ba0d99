// SPDX-License-Identifier: Apache-2.0
#include "target/tracee.hpp"

#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

namespace callscope {
namespace {

// ptrace takes addresses and numbers in pointer-typed arguments.
void* as_argument(std::uint64_t value) {
  return reinterpret_cast<void*>(value);  // NOLINT(performance-no-int-to-ptr)
}

std::unexpected<Error> ptrace_error(const char* what, pid_t pid, int err) {
  return fail(err == EPERM ? ErrorCode::kNotPermitted : ErrorCode::kInternal,
              fmt::format("cannot {} process {}", what, pid), {}, err);
}

}  // namespace

Result<TraceeStop> Tracee::wait() const {
  TraceeStop stop;
  while (::waitpid(pid_, &stop.status, __WALL) < 0) {
    const int err = errno;
    if (err != EINTR) return ptrace_error("wait for", pid_, err);
  }
  stop.ended = !WIFSTOPPED(stop.status);
  if (stop.ended) return stop;
  stop.exec = stop.status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXEC << 8));
  if (stop.exec) return stop;
  stop.signal = WSTOPSIG(stop.status);
  siginfo_t info{};
  // Fails in a group-stop: the stopping signal was delivered already and must not be sent again.
  if (::ptrace(PTRACE_GETSIGINFO, pid_, nullptr, &info) != 0) stop.signal = 0;
  // A SIGTRAP that somebody sent has si_code <= 0 and is the program's own business.
  stop.trap = stop.signal == SIGTRAP && info.si_code > 0;
  if (stop.trap) stop.signal = 0;
  return stop;
}

Result<void> Tracee::set_options() const {
  constexpr std::uint64_t kOptions = PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC;
  if (::ptrace(PTRACE_SETOPTIONS, pid_, nullptr, as_argument(kOptions)) != 0)
    return ptrace_error("trace", pid_, errno);
  return {};
}

Result<void> Tracee::resume(int signal) const {
  const auto data = static_cast<std::uint64_t>(signal);
  if (::ptrace(PTRACE_CONT, pid_, nullptr, as_argument(data)) != 0)
    return ptrace_error("continue", pid_, errno);
  return {};
}

Result<void> Tracee::single_step() const {
  if (::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr) != 0)
    return ptrace_error("step", pid_, errno);
  return {};
}

Result<void> Tracee::detach() const {
  if (::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr) != 0)
    return ptrace_error("detach from", pid_, errno);
  return {};
}

Result<user_regs_struct> Tracee::registers() const {
  user_regs_struct registers{};
  if (::ptrace(PTRACE_GETREGS, pid_, nullptr, &registers) != 0)
    return ptrace_error("read registers of", pid_, errno);
  return registers;
}

Result<void> Tracee::set_registers(const user_regs_struct& registers) const {
  user_regs_struct copy = registers;  // ptrace takes a pointer to non-const
  if (::ptrace(PTRACE_SETREGS, pid_, nullptr, &copy) != 0)
    return ptrace_error("write registers of", pid_, errno);
  return {};
}

Result<std::uint64_t> Tracee::read_word(std::uint64_t addr) const {
  errno = 0;  // the word itself may be -1
  const long word = ::ptrace(PTRACE_PEEKDATA, pid_, as_argument(addr), nullptr);
  if (errno != 0) return ptrace_error("read memory of", pid_, errno);
  return static_cast<std::uint64_t>(word);
}

Result<void> Tracee::write_word(std::uint64_t addr, std::uint64_t word) const {
  if (::ptrace(PTRACE_POKEDATA, pid_, as_argument(addr), as_argument(word)) != 0)
    return ptrace_error("write memory of", pid_, errno);
  return {};
}

Result<Breakpoint> Breakpoint::insert(const Tracee& tracee, std::uint64_t addr) {
  const Result<std::uint64_t> original = tracee.read_word(addr);
  if (!original) return std::unexpected(original.error());
  const Breakpoint breakpoint(addr, *original);
  CS_TRY(breakpoint.reinsert(tracee));
  return breakpoint;
}

Result<void> Breakpoint::remove(const Tracee& tracee) const {
  return tracee.write_word(addr_, original_);
}

Result<void> Breakpoint::reinsert(const Tracee& tracee) const {
  constexpr std::uint64_t kInt3 = 0xCC;
  return tracee.write_word(addr_, (original_ & ~0xFFULL) | kInt3);
}

}  // namespace callscope
