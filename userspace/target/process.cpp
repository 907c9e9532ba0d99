// SPDX-License-Identifier: Apache-2.0
#include "target/process.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>

#include "sys/parse_number.hpp"
#include "sys/read_file.hpp"
#include "target/proc_text.hpp"

namespace callscope {
namespace {

std::unexpected<Error> no_such_process(std::int32_t pid) {
  // With hidepid the directory of somebody else's process is not there, but the process is.
  if (::kill(pid, 0) == 0 || errno == EPERM) {
    return fail(ErrorCode::kNotPermitted, fmt::format("process {} is hidden from us", pid),
                "/proc is mounted with hidepid: run as root");
  }
  return fail(ErrorCode::kNotFound, fmt::format("no process with PID {}", pid),
              "it may have ended; list processes with `ps -e`");
}

std::unexpected<Error> has_ended(std::int32_t pid, std::int32_t parent) {
  return fail(ErrorCode::kNotFound,
              fmt::format("process {} has ended and waits to be reaped by process {}", pid, parent),
              "a zombie runs no code; choose a running process");
}

Result<std::uint64_t> checked_start(std::int32_t pid) {
  const Result<std::string> text = read_file(fmt::format("/proc/{}/stat", pid));
  if (!text) return no_such_process(pid);
  const std::optional<ProcStat> stat = parse_proc_stat(*text);
  if (!stat) return fail(ErrorCode::kCorrupt, fmt::format("/proc/{}/stat is malformed", pid));
  if (stat->has_ended()) return has_ended(pid, stat->ppid);
  if (stat->is_kernel_thread()) {
    return fail(ErrorCode::kUsage,
                fmt::format("PID {} ({}) is a kernel thread and has no user code", pid, stat->comm),
                "choose a user process");
  }
  return stat->start_ticks;
}

Result<void> refuse_thread_id(std::int32_t pid) {
  const Result<std::string> status = read_file(fmt::format("/proc/{}/status", pid));
  if (!status) return no_such_process(pid);
  const std::optional<std::uint64_t> leader = status_number(*status, "Tgid");
  if (!leader) return fail(ErrorCode::kCorrupt, fmt::format("/proc/{}/status has no Tgid", pid));
  if (*leader == static_cast<std::uint64_t>(pid)) return {};
  return fail(ErrorCode::kNotFound,
              fmt::format("{} is a thread of process {}, not a process", pid, *leader),
              fmt::format("use -p {}", *leader));
}

Result<Fd> open_pidfd(std::int32_t pid) {
  const long fd = ::syscall(SYS_pidfd_open, pid, 0U);
  if (fd >= 0) return Fd(static_cast<int>(fd));
  const int err = errno;
  if (err == ESRCH) return no_such_process(pid);
  const ErrorCode code = err == ENOSYS ? ErrorCode::kUnsupported : ErrorCode::kInternal;
  return fail(code, fmt::format("cannot open a pidfd of process {}", pid), {}, err);
}

std::string join_arguments(std::string text) {
  while (text.ends_with('\0')) text.pop_back();
  std::ranges::replace(text, '\0', ' ');
  return text;
}

}  // namespace

Result<Process> Process::open(std::int32_t pid) {
  if (pid <= 0) return fail(ErrorCode::kUsage, fmt::format("{} is not a PID", pid));
  if (pid == ::getpid()) {
    return fail(ErrorCode::kUsage, fmt::format("PID {} is callscope itself", pid),
                "choose another process");
  }
  CS_TRY(refuse_thread_id(pid));
  Result<Fd> pidfd = open_pidfd(pid);
  if (!pidfd) return std::unexpected(pidfd.error());
  // Read behind the pidfd: if the process is still alive below, the start time is its own.
  const Result<std::uint64_t> start_ticks = checked_start(pid);
  if (!start_ticks) return std::unexpected(start_ticks.error());
  Process process(pid, std::move(*pidfd), *start_ticks);
  if (!process.alive()) return no_such_process(pid);
  return process;
}

bool Process::alive() const {
  pollfd wait{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, 0) == 0;
}

Result<Target> Process::describe() const {
  Target target;
  target.pid = pid_;
  target.start_ticks = start_ticks_;
  const Result<std::string> stat_text = read_file(fmt::format("/proc/{}/stat", pid_));
  if (!stat_text) return no_such_process(pid_);
  const std::optional<ProcStat> stat = parse_proc_stat(*stat_text);
  if (!stat) return fail(ErrorCode::kCorrupt, fmt::format("/proc/{}/stat is malformed", pid_));
  target.comm = stat->comm;

  Result<std::string> exe = read_link(fmt::format("/proc/{}/exe", pid_));
  if (exe) {
    constexpr std::string_view kDeleted = " (deleted)";
    if (exe->ends_with(kDeleted)) exe->resize(exe->size() - kDeleted.size());
    target.exe = std::move(*exe);
  } else if (exe.error().code != ErrorCode::kNotPermitted) {
    return no_such_process(pid_);
  }
  Result<std::string> cmdline = read_file(fmt::format("/proc/{}/cmdline", pid_));
  if (cmdline) target.cmdline = join_arguments(std::move(*cmdline));
  if (!alive()) return no_such_process(pid_);
  return target;
}

Result<std::int32_t> Process::namespace_pid() const {
  const Result<std::string> status = read_file(fmt::format("/proc/{}/status", pid_));
  if (!status || !alive()) return no_such_process(pid_);
  const std::string_view ids = status_field(*status, "NSpid").value_or("");
  const std::string_view innermost = ids.substr(ids.find_last_of(" \t") + 1);
  const std::optional<std::int32_t> pid = parse_number<std::int32_t>(innermost, 1);
  if (!pid) return fail(ErrorCode::kCorrupt, fmt::format("/proc/{}/status has no NSpid", pid_));
  return *pid;
}

Result<std::vector<Thread>> read_threads(std::int32_t pid) {
  std::error_code error;
  std::vector<Thread> threads;
  const std::filesystem::path folder = fmt::format("/proc/{}/task", pid);
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::optional<std::int32_t> tid =
        parse_number<std::int32_t>(entry->path().filename().native(), 1);
    if (!tid) continue;
    Result<std::string> comm = read_file(entry->path() / "comm");
    if (!comm) continue;
    if (comm->ends_with('\n')) comm->pop_back();
    threads.push_back({.pid = pid, .tid = *tid, .comm = std::move(*comm)});
  }
  if (threads.empty()) return no_such_process(pid);
  std::ranges::sort(threads, {}, &Thread::tid);
  return threads;
}

}  // namespace callscope
