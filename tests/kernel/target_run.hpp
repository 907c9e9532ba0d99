// SPDX-License-Identifier: Apache-2.0
// Runs a program of tests/targets under a Recorder: start it, wait until it is ready, attach, let
// it work, stop the recording, let it exit. Owns the child; kills it if a test fails half-way.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "callscope/recording.hpp"
#include "collect/recorder.hpp"
#include "sys/fd.hpp"

namespace callscope::test {

// A child with pipes to its standard input and output.
class Child {
 public:
  explicit Child(std::vector<std::string> argv);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] int pid() const { return pid_; }
  // Reads lines up to and including this one; all of them. Fails the test after 60 s.
  std::vector<std::string> read_until(const std::string& line);
  // For those who wait for more than its lines: receive() when output_fd() is readable.
  [[nodiscard]] int output_fd() const { return output_.get(); }
  void receive();
  std::optional<std::string> next_line();  // that has been received; nothing: not a whole one
  void send(const std::string& text);
  void close_input() { input_.reset(); }
  int wait_status();  // of wait(2); blocks

 private:
  int pid_ = -1;
  int status_ = -1;
  bool reaped_ = false;
  Fd input_;
  Fd output_;
  std::string buffer_;
};

std::string target_path(const std::string& name);

// The command line of a target that waits for its start and for its end. argv[0] is a name in
// tests/targets. With CALLSCOPE_FEWER_CALLS in the environment it makes fewer calls.
std::vector<std::string> target_command(std::vector<std::string> argv);

std::vector<FunctionPattern> parse_patterns(const std::vector<std::string>& texts);

struct TargetRun {
  Recording recording;
  std::map<std::string, std::uint64_t> truth;  // "calls work_a" -> 500
  std::vector<std::string> lines;
  int status = -1;  // of wait(2)

  // The function of that name; fails the test if it was not probed.
  [[nodiscard]] const FunctionStats& function(const std::string& name) const;
  [[nodiscard]] std::uint64_t quality(const std::string& key) const;
};

// The truth in the lines that a target has printed.
std::map<std::string, std::uint64_t> parse_truth(const std::vector<std::string>& lines);

// Stops the recorder, lets the target end, and takes together what both said.
TargetRun end_run(Recorder& recorder, Child& child, std::vector<std::string> lines);

// One of the recording's notes has the text; else the failing test shows them all.
bool has_note(const Recording& recording, const std::string& text);

// Records the command from its "ready" to its "done". Events are answered at the end only;
// live_run.hpp answers them meanwhile.
TargetRun record_command(std::vector<std::string> argv, const RecordOptions& options);

// The same of a target, as of target_command.
TargetRun record_target(std::vector<std::string> argv, RecordOptions options,
                        const std::vector<std::string>& patterns);

// All that the tests of counts ask: for every function that the truth names, calls, returns and
// unwound agree, the balance holds, and no time is absurd.
void check_truth(const TargetRun& run);

}  // namespace callscope::test
