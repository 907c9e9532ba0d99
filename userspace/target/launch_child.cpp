// SPDX-License-Identifier: Apache-2.0
#include "target/launch_child.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace callscope {
namespace {

struct Account {
  std::string name;
  std::string home;
};

std::optional<Account> find_account(uid_t uid) {
  std::array<char, 16384> text{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, text.data(), text.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return Account{.name = entry.pw_name, .home = entry.pw_dir};
}

void set_variable(std::vector<std::string>& environment, std::string_view name,
                  std::string_view value) {
  const std::string prefix = std::string(name) + "=";
  std::erase_if(environment, [&](const std::string& text) { return text.starts_with(prefix); });
  environment.push_back(prefix + std::string(value));
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Handlers of ours must not run in the child; what is ignored stays ignored, except SIGPIPE,
// which only we ignore and which ordinary programs rely on.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action{};
    if (::sigaction(number, nullptr, &action) != 0) continue;
    if (action.sa_handler == SIG_IGN && number != SIGPIPE) continue;
    action = {};
    action.sa_handler = SIG_DFL;
    ::sigaction(number, &action, nullptr);
  }
}

// Whether a directory of PATH holds a file of that name, executable or not.
bool is_in_path(const std::string& command) {
  const char* const path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/bin:/usr/bin" : path;
  for (;;) {
    const std::size_t length = std::min(rest.find(':'), rest.size());
    const std::string file = std::string(rest.substr(0, length)) + "/" + command;
    if (::access(file.c_str(), F_OK) == 0) return true;
    if (length == rest.size()) return false;
    rest.remove_prefix(length + 1);
  }
}

}  // namespace

Result<ChildPlan> ChildPlan::create(const LaunchOptions& options) {
  if (options.argv.empty() || options.argv.front().empty())
    return fail(ErrorCode::kUsage, "no command to start", "write it behind --");
  ChildPlan plan;
  plan.arguments_ = options.argv;
  for (char** variable = environ; *variable != nullptr; ++variable)
    plan.environment_.emplace_back(*variable);
  if (options.run_as && options.run_as->uid != ::geteuid()) CS_TRY(plan.plan_user(*options.run_as));
  plan.argv_ = pointers_to(plan.arguments_);
  plan.envp_ = pointers_to(plan.environment_);
  return plan;
}

Result<void> ChildPlan::plan_user(const Credentials& credentials) {
  change_user_ = true;
  uid_ = credentials.uid;
  gid_ = credentials.gid;
  const std::optional<Account> account = find_account(uid_);
  const std::string name = account ? account->name : credentials.user;
  if (account) set_variable(environment_, "HOME", account->home);
  if (!name.empty()) {
    set_variable(environment_, "USER", name);
    set_variable(environment_, "LOGNAME", name);
  }
  int count = 64;
  groups_.resize(static_cast<std::size_t>(count));
  while (::getgrouplist(name.c_str(), gid_, groups_.data(), &count) < 0) {
    if (static_cast<std::size_t>(count) <= groups_.size())
      return fail(ErrorCode::kInternal, "cannot list the groups of user " + name);
    groups_.resize(static_cast<std::size_t>(count));
  }
  groups_.resize(static_cast<std::size_t>(count));
  return {};
}

std::optional<ChildFailure> ChildPlan::become_user() const {
  if (!change_user_) return std::nullopt;
  if (::setgroups(groups_.size(), groups_.data()) != 0 || ::setresgid(gid_, gid_, gid_) != 0)
    return ChildFailure{ChildStep::kGroups, errno};
  if (::setresuid(uid_, uid_, uid_) != 0) return ChildFailure{ChildStep::kUser, errno};
  return std::nullopt;
}

void ChildPlan::run(int failure_pipe) {
  const auto give_up = [failure_pipe](const ChildFailure& failure) {
    constexpr int kCannotExecute = 127;
    const ssize_t written = ::write(failure_pipe, &failure, sizeof failure);
    ::_exit(written == sizeof failure ? kCannotExecute : kCannotExecute - 1);
  };
  reset_signals();
  // Descriptors of ours are close-on-exec already; those that we inherited need not be.
  constexpr unsigned kCloseOnExec = 1U << 2U;  // CLOSE_RANGE_CLOEXEC
  ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, kCloseOnExec);
  if (const std::optional<ChildFailure> failure = become_user()) give_up(*failure);
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) give_up({ChildStep::kTrace, errno});
  ::raise(SIGSTOP);  // our tracer sets its options now
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvpe(argv_.front(), argv_.data(), envp_.data());
  give_up({ChildStep::kExec, errno});
  std::unreachable();
}

std::unexpected<Error> describe_child_failure(const ChildFailure& failure,
                                              const LaunchOptions& options) {
  const std::string& command = options.argv.front();
  int err = failure.error;
  const std::string what = "cannot run " + command;
  const uid_t uid = options.run_as ? options.run_as->uid : ::geteuid();
  switch (failure.step) {
    case ChildStep::kTrace:
      return fail(ErrorCode::kNotPermitted, what + " stopped: tracing is refused",
                  "allow ptrace, or start the command yourself and use -p", err);
    case ChildStep::kGroups:
    case ChildStep::kUser:
      return fail(ErrorCode::kNotPermitted, what + fmt::format(": cannot become user {}", uid),
                  "run with sudo", err);
    case ChildStep::kExec:
      break;
  }
  // A directory of PATH that this user may not search (root's own, under sudo) turns "not found"
  // into "permission denied".
  const bool has_path = command.find('/') != std::string::npos;
  if (err == EACCES && !has_path && !is_in_path(command)) err = ENOENT;
  if (err == ENOENT) {
    const bool there = has_path && ::access(command.c_str(), F_OK) == 0;
    return fail(ErrorCode::kNotFound, what,
                there ? "the file is there, but the interpreter it names is not"
                      : "check the spelling, or give the path",
                err);
  }
  if (err == EACCES || err == EPERM) {
    return fail(ErrorCode::kNotPermitted, what,
                fmt::format("the file must be executable for user {}", uid), err);
  }
  const bool bad_file = err == ENOEXEC || err == ENOTDIR || err == ELOOP || err == EISDIR;
  return fail(bad_file ? ErrorCode::kNotFound : ErrorCode::kInternal, what, {}, err);
}

}  // namespace callscope
