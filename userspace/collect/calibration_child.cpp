// SPDX-License-Identifier: Apache-2.0
#include "collect/calibration_child.hpp"

#include <poll.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <span>
#include <utility>

#include "sys/clock.hpp"

// cs_calibrate_X(note, arg) calls note(note, arg). The kernel emulates push and nop under a probe
// and single-steps sub and ret. The stack pointer is at the return address on X, X_nop and X_ret.
asm(R"(
    .text
    .macro CS_CALIBRATE name, first, undo
    .p2align 4
    .globl \name, \name\()_nop, \name\()_ret
    .hidden \name, \name\()_nop, \name\()_ret
    .type \name, @function
\name:
    \first
    call *%rdi
    \undo
\name\()_nop:
    nop
\name\()_ret:
    ret
    .size \name, .-\name
    .endm
    CS_CALIBRATE cs_calibrate_bare, "push %rbp", "pop %rbp"
    CS_CALIBRATE cs_calibrate_counted, "push %rbp", "pop %rbp"
    CS_CALIBRATE cs_calibrate_return, "push %rbp", "pop %rbp"
    CS_CALIBRATE cs_calibrate_nop_exit, "push %rbp", "pop %rbp"
    CS_CALIBRATE cs_calibrate_ret_exit, "push %rbp", "pop %rbp"
    CS_CALIBRATE cs_calibrate_sub_entry, "sub $8, %rsp", "add $8, %rsp"
    .purgem CS_CALIBRATE
)");

namespace {
using Note = void (*)(void*, std::uint64_t*);
}
extern "C" {
void cs_calibrate_bare(Note, std::uint64_t*);
void cs_calibrate_counted(Note, std::uint64_t*);
void cs_calibrate_return(Note, std::uint64_t*);
void cs_calibrate_nop_exit(Note, std::uint64_t*);
void cs_calibrate_ret_exit(Note, std::uint64_t*);
void cs_calibrate_sub_entry(Note, std::uint64_t*);
extern const char cs_calibrate_bare_nop[], cs_calibrate_counted_nop[], cs_calibrate_return_nop[],
    cs_calibrate_nop_exit_nop[], cs_calibrate_ret_exit_ret[], cs_calibrate_sub_entry_nop[];
}

namespace callscope {
namespace {

using Function = void (*)(Note, std::uint64_t*);

// In the order of CalibrationCall.
constexpr std::array<Function, kCalibrationCalls> kFunctions{
    cs_calibrate_bare,     cs_calibrate_counted,  cs_calibrate_return,
    cs_calibrate_nop_exit, cs_calibrate_ret_exit, cs_calibrate_sub_entry};
constexpr std::array<const char*, kCalibrationCalls> kExits{
    cs_calibrate_bare_nop,     cs_calibrate_counted_nop,  cs_calibrate_return_nop,
    cs_calibrate_nop_exit_nop, cs_calibrate_ret_exit_ret, cs_calibrate_sub_entry_nop};

// A child that is given no CPU for so long measures nothing of use.
constexpr int kPatienceMs = 2000;

void note_time(void*, std::uint64_t* out_ns) { *out_ns = monotonic_ns(); }

void time_call(Function function, std::uint32_t& entry_ns, std::uint32_t& exit_ns) {
  std::uint64_t inside_ns = 0;
  const std::uint64_t before_ns = monotonic_ns();
  function(reinterpret_cast<Note>(note_time), &inside_ns);
  const std::uint64_t after_ns = monotonic_ns();
  entry_ns = static_cast<std::uint32_t>(inside_ns - before_ns);
  exit_ns = static_cast<std::uint32_t>(after_ns - inside_ns);
}

// Of the child: makecontext() passes no pointer, and nothing may be allocated.
CalibrationSamples samples;

void time_all_calls() {
  for (std::size_t round = 0; round < CalibrationSamples::kRounds; ++round)
    for (std::size_t i = 0; i < kCalibrationCalls; ++i) {
      std::uint32_t cold = 0;  // the first call after another function is dearer
      time_call(kFunctions[i], cold, cold);
      for (std::size_t n = 0; n < CalibrationSamples::kCallsPerRound; ++n) {
        const std::size_t at = round * CalibrationSamples::kCallsPerRound + n;
        time_call(kFunctions[i], samples.entry_ns[i][at], samples.exit_ns[i][at]);
      }
    }
}

// A fork of a thread goes on on that thread's stack, which BPF takes for a fiber's: on such no
// return probe is armed. So the child works on the stack of the first thread, which nobody uses in
// it. It grows when it is touched; what is far enough below the environment is free.
void work_on_first_stack() {
  constexpr std::uint64_t kBelowBytes = 512U << 10;
  constexpr std::uint64_t kSizeBytes = 256U << 10;
  static ucontext_t before;
  static ucontext_t inside;
  if (::getcontext(&inside) != 0) return;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel tells it as a number
  inside.uc_stack.ss_sp = reinterpret_cast<void*>((::getauxval(AT_RANDOM) - kBelowBytes) & ~15ULL);
  inside.uc_stack.ss_size = kSizeBytes;
  inside.uc_link = &before;
  ::makecontext(&inside, time_all_calls, 0);
  ::swapcontext(&before, &inside);
}

// After a fork in a process with threads only async-signal-safe calls are allowed, so nothing here
// allocates. All descriptors of ours but the channel are let go: a copy of a BPF link would keep
// probes alive. Signals stay blocked, so no handler of ours runs either.
[[noreturn]] void live_as_child(int channel, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // it died before the line above
  ::dup2(channel, STDIN_FILENO);
  ::close_range(STDIN_FILENO + 1, ~0U, 0);
  char go = 0;
  if (::read(STDIN_FILENO, &go, 1) != 1) ::_exit(0);
  work_on_first_stack();
  std::span<const std::byte> rest = std::as_bytes(std::span(&samples, 1));
  while (!rest.empty()) {
    const ssize_t written = ::write(STDIN_FILENO, rest.data(), rest.size());
    if (written <= 0) ::_exit(1);
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
  ::_exit(0);
}

Result<pid_t> fork_with_signals_blocked(int channel) {
  const pid_t parent = ::getpid();
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  const int err = errno;
  if (pid == 0) live_as_child(channel, parent);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return fail(ErrorCode::kInternal, "cannot start the calibration process", {}, err);
  return pid;
}

// Reads until out is full; kInternal at the end of the stream or of our patience.
Result<void> read_all(int fd, std::span<std::byte> out) {
  const std::uint64_t deadline_ns = monotonic_ns() + kPatienceMs * 1'000'000ULL;
  while (!out.empty()) {
    const std::uint64_t now_ns = monotonic_ns();
    if (now_ns >= deadline_ns)
      return fail(ErrorCode::kInternal, "the calibration process got no CPU");
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>((deadline_ns - now_ns) / 1'000'000) + 1);
    if (ready < 0 && errno != EINTR)
      return fail(ErrorCode::kInternal, "cannot wait for the calibration process", {}, errno);
    if (ready <= 0) continue;
    const ssize_t got = ::recv(fd, out.data(), out.size(), MSG_DONTWAIT);
    const int err = errno;
    if (got < 0 && (err == EAGAIN || err == EINTR)) continue;
    if (got <= 0)
      return fail(ErrorCode::kInternal, "the calibration process died", {}, got < 0 ? err : 0);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

}  // namespace

CalibrationSites calibration_sites(CalibrationCall call) {
  const auto index = static_cast<std::size_t>(call);
  return {reinterpret_cast<const void*>(kFunctions[index]), kExits[index]};
}

Result<CalibrationChild> CalibrationChild::start() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail(ErrorCode::kInternal, "cannot create a socket pair", {}, errno);
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  const Result<pid_t> pid = fork_with_signals_blocked(theirs.get());
  if (!pid) return std::unexpected(pid.error());
  return CalibrationChild(*pid, std::move(ours));
}

CalibrationChild::CalibrationChild(CalibrationChild&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), channel_(std::move(other.channel_)) {}

CalibrationChild::~CalibrationChild() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);  // ours until it is reaped, so the number cannot be another process
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<CalibrationSamples> CalibrationChild::run() {
  const char go = 1;
  if (::send(channel_.get(), &go, 1, MSG_NOSIGNAL) != 1)
    return fail(ErrorCode::kInternal, "the calibration process died", {}, errno);
  CalibrationSamples samples;
  CS_TRY(read_all(channel_.get(), std::as_writable_bytes(std::span(&samples, 1))));
  return samples;
}

}  // namespace callscope
