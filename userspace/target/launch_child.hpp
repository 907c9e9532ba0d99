// SPDX-License-Identifier: Apache-2.0
// The child's half of launching: everything that allocates is prepared before fork(), so that the
// child makes only async-signal-safe calls on its way to exec. A ChildPlan must outlive the fork.
#pragma once

#include <grp.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "sys/fd.hpp"
#include "target/launcher.hpp"

namespace callscope {

// Which step of the child failed; travels through the pipe together with errno.
enum class ChildStep { kTrace, kGroups, kUser, kExec };

struct ChildFailure {
  ChildStep step = ChildStep::kExec;
  int error = 0;
};

class ChildPlan {
 public:
  static Result<ChildPlan> create(const LaunchOptions& options);

  // In the child: drop privileges, become traced, stop once (SIGSTOP), exec. Never returns;
  // a failure is written to failure_pipe.
  [[noreturn]] void run(int failure_pipe);

 private:
  ChildPlan() = default;
  Result<void> plan_user(const Credentials& credentials);
  [[nodiscard]] std::optional<ChildFailure> become_user() const;

  std::vector<std::string> arguments_;
  std::vector<std::string> environment_;
  std::vector<char*> argv_;  // into arguments_, null-terminated
  std::vector<char*> envp_;  // into environment_, null-terminated
  bool change_user_ = false;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  std::vector<gid_t> groups_;
};

// What to tell the user about it.
std::unexpected<Error> describe_child_failure(const ChildFailure& failure,
                                              const LaunchOptions& options);

}  // namespace callscope
