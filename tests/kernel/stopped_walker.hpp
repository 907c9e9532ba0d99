// SPDX-License-Identifier: Apache-2.0
// The walker in the kernel on a process that is stopped by ptrace: with the tables and maps that a
// recording has, at any instruction, with any registers and stack. Failures fail the test. One
// thread, one process of one thread.
#pragma once

#include <memory>
#include <optional>

#include "collect/unwind_feed.hpp"
#include "tests/stopped/stopped_process.hpp"

namespace callscope::test {

class StoppedWalker {
 public:
  // Has tables of the code that the process has mapped by now.
  explicit StoppedWalker(const StoppedProcess& process);
  ~StoppedWalker();
  StoppedWalker(const StoppedWalker&) = delete;
  StoppedWalker& operator=(const StoppedWalker&) = delete;

  void read_code();  // the maps have changed
  // The walk of the process as it stands. It then executes one instruction, or enters the handler
  // of the signal to deliver (0: none); *alive as StoppedProcess::step(). nullopt: it has entered a
  // handler, where the kernel takes no signal from a tracer.
  std::optional<WalkedStack> walk_and_step(StoppedProcess& process, int deliver, bool* alive);

 private:
  struct Program;

  const int pid_;
  std::unique_ptr<UnwindFeed> feed_;  // owns maps of the program, which goes first
  std::unique_ptr<Program> program_;
};

}  // namespace callscope::test
