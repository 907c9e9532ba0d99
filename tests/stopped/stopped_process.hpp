// SPDX-License-Identifier: Apache-2.0
// A program under ptrace, with a walker of its stack. Owns the child and kills it. Failures fail
// the Catch test that it is used in. One thread. For tests only.
#pragma once

#include <sys/types.h>
#include <sys/user.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "user_walker.hpp"

namespace callscope::test {

class StoppedProcess {
 public:
  // Stands at the first instruction of the dynamic loader, or of a static program.
  explicit StoppedProcess(std::vector<std::string> argv);
  ~StoppedProcess();
  StoppedProcess(const StoppedProcess&) = delete;
  StoppedProcess& operator=(const StoppedProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // One instruction, or the first one of the handler of a signal; false: the process has ended.
  bool step(int deliver = 0);
  // Goes on until a signal stops it, which is not delivered; its number, 0: it has ended.
  int run(int deliver = 0);
  // The signal that it stands at, undelivered; 0: none but that of a step.
  [[nodiscard]] int pending_signal() const { return pending_; }
  [[nodiscard]] user_regs_struct registers() const;
  void set_registers(const user_regs_struct& regs);
  [[nodiscard]] std::uint64_t word(std::uint64_t addr) const;  // 0 if unreadable
  void set_word(std::uint64_t addr, std::uint64_t value);
  // Where the return address frames[at] of a walk of it lies on its one stack; at > 0.
  [[nodiscard]] std::uint64_t slot_of(const std::vector<std::uint64_t>& frames,
                                      std::size_t at) const;

  WalkedStack walk() { return walker_->walk(registers()); }
  void read_code();  // the maps have changed
  [[nodiscard]] const UserWalker& walker() const { return *walker_; }

 private:
  void await_stop();

  pid_t pid_ = -1;
  bool ended_ = false;
  int pending_ = 0;
  std::unique_ptr<UserWalker> walker_;
};

}  // namespace callscope::test
