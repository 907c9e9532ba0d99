// SPDX-License-Identifier: Apache-2.0
// A program under ptrace whose stack is walked by the very code of bpf/common/unwind/step.bpf.h,
// compiled for user space: its memory is read through /proc, its tables are those of userspace/
// unwind. Owns the child and kills it. One thread, one instance at a time. For tests only.
#pragma once

#include <sys/types.h>
#include <sys/user.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "callscope/abi/code.h"
#include "sys/fd.hpp"

namespace callscope::test {

struct WalkedStack {
  std::vector<std::uint64_t> frames;  // leaf first
  int end = 0;                        // enum cs_stack_end

  bool operator==(const WalkedStack&) const = default;
};

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
  [[nodiscard]] user_regs_struct registers() const;
  [[nodiscard]] std::uint64_t word(std::uint64_t addr) const;  // 0 if unreadable
  void set_word(std::uint64_t addr, std::uint64_t value);

  [[nodiscard]] WalkedStack walk();
  void read_code();  // the maps have changed

 private:
  void add_ranges(const std::string& path, std::uint64_t start, std::uint64_t end,
                  std::uint64_t file_off);

  pid_t pid_ = -1;
  bool ended_ = false;
  Fd memory_;
};

}  // namespace callscope::test
