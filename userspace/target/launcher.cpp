// SPDX-License-Identifier: Apache-2.0
#include "target/launcher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "sys/fd.hpp"
#include "target/launch_child.hpp"
#include "target/tracee.hpp"

namespace callscope {
namespace {

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail(ErrorCode::kInternal, "cannot create a pipe", {}, errno);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// All signals are held back around fork(), so that no handler of ours runs in the child.
Result<pid_t> fork_child(ChildPlan& plan, int failure_pipe) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  const int err = errno;
  if (pid == 0) plan.run(failure_pipe);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return fail(ErrorCode::kInternal, "cannot start a process", {}, err);
  return pid;
}

std::optional<ChildFailure> read_failure(int pipe) {
  ChildFailure failure;
  ssize_t got = 0;
  do {
    got = ::read(pipe, &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof failure) return std::nullopt;
  return failure;
}

std::string describe_status(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  return fmt::format("exited with code {}", WEXITSTATUS(status));
}

}  // namespace

Result<LaunchedTarget> LaunchedTarget::start(const LaunchOptions& options) {
  Result<ChildPlan> plan = ChildPlan::create(options);
  if (!plan) return std::unexpected(plan.error());
  Result<Pipe> failures = make_pipe();
  if (!failures) return std::unexpected(failures.error());
  const Result<pid_t> pid = fork_child(*plan, failures->write_end.get());
  if (!pid) return std::unexpected(pid.error());
  failures->write_end.reset();

  LaunchedTarget target(*pid);
  const Result<void> executed = target.run_to_exec();
  if (target.status_) {
    if (const auto failure = read_failure(failures->read_end.get()))
      return describe_child_failure(*failure, options);
    return fail(ErrorCode::kInternal, fmt::format("{} {} before it started", options.argv.front(),
                                                  describe_status(*target.status_)));
  }
  CS_TRY(executed);
  CS_TRY(target.run_loader(options.argv.front()));
  return target;
}

LaunchedTarget::LaunchedTarget(LaunchedTarget&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      traced_(other.traced_),
      stopped_at_(other.stopped_at_),
      status_(other.status_) {}

LaunchedTarget::~LaunchedTarget() {
  if (pid_ == 0 || status_ || !traced_) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  do {
    while (::waitpid(pid_, &status, __WALL) < 0)
      if (errno != EINTR) return;
  } while (WIFSTOPPED(status));
}

// From the child's first SIGSTOP to its exec stop, delivering what arrives meanwhile.
Result<void> LaunchedTarget::run_to_exec() {
  const Tracee tracee(pid_);
  bool configured = false;
  for (;;) {
    const Result<TraceeStop> stop = tracee.wait();
    if (!stop) return std::unexpected(stop.error());
    if (stop->ended) {
      status_ = stop->status;
      return fail(ErrorCode::kInternal, "the command ended before exec");
    }
    if (stop->exec) return {};
    const bool own_stop = !configured && stop->signal == SIGSTOP;
    if (own_stop) {
      CS_TRY(tracee.set_options());
      configured = true;
    }
    CS_TRY(tracee.resume(own_stop ? 0 : stop->signal));
  }
}

Result<void> LaunchedTarget::run_loader(const std::string& command) {
  const Result<LoaderResult> result = run_until_libraries_mapped(Tracee(pid_));
  if (!result) return std::unexpected(result.error());
  stopped_at_ = result->stop;
  if (result->stop != LoaderStop::kEnded) return {};
  status_ = result->status;
  return fail(
      ErrorCode::kNotFound,
      fmt::format("{} {} while its libraries were loaded", command, describe_status(*status_)),
      "run it without callscope to see why");
}

Result<void> LaunchedTarget::resume() {
  if (!traced_) return fail(ErrorCode::kInternal, "the command is running already");
  CS_TRY(Tracee(pid_).detach());
  traced_ = false;
  return {};
}

std::optional<int> LaunchedTarget::reap(int flags) {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, flags) == pid_ && !WIFSTOPPED(status)) status_ = status;
  return status_;
}

std::optional<int> LaunchedTarget::poll_status() { return reap(WNOHANG); }

Result<int> LaunchedTarget::wait_status() {
  if (traced_ && !status_) return fail(ErrorCode::kInternal, "the command is still stopped");
  while (!reap(0)) {
    const int err = errno;
    if (err != EINTR) return fail(ErrorCode::kInternal, "cannot wait for the command", {}, err);
  }
  return *status_;
}

}  // namespace callscope
