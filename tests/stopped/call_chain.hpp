// SPDX-License-Identifier: Apache-2.0
// The calls that are open in a program that is executed one instruction at a time, from what the
// instructions did: the truth that walks of its stack are compared with. For tests only.
#pragma once

#include <cstdint>
#include <vector>

#include "stopped_process.hpp"

namespace callscope::test {

class CallChain {
 public:
  // The instruction at before.rip was executed, registers are now these.
  void step(const StoppedProcess& process, const user_regs_struct& before,
            const user_regs_struct& now);
  // A signal was delivered at before.rip; now is the first instruction of its handler.
  void enter_handler(const StoppedProcess& process, const user_regs_struct& before,
                     const user_regs_struct& now);

  // Return addresses and interrupted instructions, innermost first.
  [[nodiscard]] std::vector<std::uint64_t> callers() const;

 private:
  struct Call {
    std::uint64_t slot;  // of the return address; of an interrupted instruction: its rsp
    std::uint64_t addr;
    bool interrupted;
  };
  std::vector<Call> open_;
};

}  // namespace callscope::test
