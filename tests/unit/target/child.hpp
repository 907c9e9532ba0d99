// SPDX-License-Identifier: Apache-2.0
// A child process of a test with pipes on its standard input and output, for handshakes instead of
// sleeps: it writes a byte when ready and waits for its input to end. Killed and reaped at the end.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace callscope::test {

class Child {
 public:
  explicit Child(std::vector<std::string> argv);      // executes a program
  explicit Child(const std::function<void()>& body);  // runs body in a fork, then exits with 0
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] char read_byte() const;  // blocks; '\0' at the end of the child's output

 private:
  void start(const std::function<void()>& body);

  pid_t pid_ = -1;
  Fd input_;   // our end of the child's standard input
  Fd output_;  // our end of the child's standard output
};

}  // namespace callscope::test
