// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/target/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

namespace callscope::test {

Child::Child(std::vector<std::string> argv) {
  std::vector<char*> arguments;
  for (std::string& argument : argv) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  start([&] {
    ::execvp(arguments.front(), arguments.data());
    ::_exit(127);
  });
}

Child::Child(const std::function<void()>& body) { start(body); }

void Child::start(const std::function<void()>& body) {
  std::array<int, 2> to_child{};
  std::array<int, 2> from_child{};
  REQUIRE(::pipe2(to_child.data(), O_CLOEXEC) == 0);
  REQUIRE(::pipe2(from_child.data(), O_CLOEXEC) == 0);
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    ::dup2(to_child[0], STDIN_FILENO);
    ::dup2(from_child[1], STDOUT_FILENO);
    for (const int end : {to_child[0], to_child[1], from_child[0], from_child[1]}) ::close(end);
    body();
    ::_exit(0);
  }
  Fd(to_child[0]).reset();
  Fd(from_child[1]).reset();
  input_.reset(to_child[1]);
  output_.reset(from_child[0]);
}

Child::~Child() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

char Child::read_byte() const {
  char byte = '\0';
  return ::read(output_.get(), &byte, 1) == 1 ? byte : '\0';
}

}  // namespace callscope::test
