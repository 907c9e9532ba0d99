// SPDX-License-Identifier: Apache-2.0
// A target under a Recorder whose event loop runs while the test waits for the target, as it does
// in the command: children are followed, loaded libraries are probed, the budget is kept. Owns
// both. One thread. Every failure of the Recorder and every wait of 60 s fails the test.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collect/recorder.hpp"
#include "target_run.hpp"

namespace callscope::test {

class LiveRun {
 public:
  // The target, as of target_command, stands at its "ready" and counts from here on.
  LiveRun(std::vector<std::string> argv, RecordOptions options,
          const std::vector<std::string>& patterns);

  void send(const std::string& text) { child_.send(text); }
  void close_input() { child_.close_input(); }
  // Returns when the target has printed a line that begins so and all that it did before is
  // answered: children that it had then are followed, libraries that it had are probed.
  void wait_for(const std::string& start);
  // What is noticed by other threads of the recorder, as forks are by the one that feeds the
  // walker.
  void serve_for(std::uint64_t ns);
  // Waits for "done" (again, if it came before), ends the recording, then the target.
  TargetRun finish();

  [[nodiscard]] int pid() const { return child_.pid(); }
  [[nodiscard]] const Recording& recording() const { return recorder_->recording(); }

 private:
  void serve();  // waits for the next event of any kind and answers it

  Child child_;
  std::unique_ptr<Recorder> recorder_;
  std::vector<std::string> lines_;
  std::uint64_t next_housekeeping_ns_ = 0;
  std::uint64_t next_tick_ns_ = 0;
};

}  // namespace callscope::test
