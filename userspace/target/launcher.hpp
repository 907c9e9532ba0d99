// SPDX-License-Identifier: Apache-2.0
// Starts a command stopped, so that probes are in place before its first own instruction, lets it
// go on resume(), and collects its wait status. The child is ours: while it stands stopped it is
// killed if we die; once resumed it is an ordinary child that outlives this object and us.
// All calls must come from the thread that called start() (a rule of ptrace).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "target/credentials.hpp"
#include "target/loader_stop.hpp"

namespace callscope {

struct LaunchOptions {
  std::vector<std::string> argv;      // argv[0] is looked up in PATH
  std::optional<Credentials> run_as;  // nothing: as ourselves
};

class LaunchedTarget {
 public:
  // kNotFound, kNotPermitted: the command cannot be executed. kUsage: empty argv.
  static Result<LaunchedTarget> start(const LaunchOptions& options);

  LaunchedTarget(LaunchedTarget&& other) noexcept;
  LaunchedTarget& operator=(LaunchedTarget&& other) = delete;
  LaunchedTarget(const LaunchedTarget&) = delete;
  LaunchedTarget& operator=(const LaunchedTarget&) = delete;
  ~LaunchedTarget();  // kills the child if it was never resumed

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] LoaderStop stopped_at() const { return stopped_at_; }

  // Lets the command run. Once.
  [[nodiscard]] Result<void> resume();

  // The wait(2) status once the command has ended; poll_status() does not block.
  [[nodiscard]] std::optional<int> poll_status();
  [[nodiscard]] Result<int> wait_status();

 private:
  explicit LaunchedTarget(pid_t pid) : pid_(pid) {}
  Result<void> run_to_exec();
  Result<void> run_loader(const std::string& command);
  std::optional<int> reap(int flags);

  pid_t pid_;  // 0: moved from
  bool traced_ = true;
  LoaderStop stopped_at_ = LoaderStop::kExec;
  std::optional<int> status_;  // set once the child has been reaped
};

}  // namespace callscope
