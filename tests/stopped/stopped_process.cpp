// SPDX-License-Identifier: Apache-2.0
#include "stopped_process.hpp"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <utility>

namespace callscope::test {

StoppedProcess::StoppedProcess(std::vector<std::string> argv) {
  std::vector<char*> args;
  for (std::string& arg : argv) args.push_back(arg.data());
  args.push_back(nullptr);
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    ::execv(args[0], args.data());
    ::_exit(127);
  }
  await_stop();
  REQUIRE(!ended_);
  auto walker = UserWalker::create(pid_);
  REQUIRE(walker);
  walker_ = std::move(*walker);
  read_code();
}

StoppedProcess::~StoppedProcess() {
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, __WALL);
}

void StoppedProcess::await_stop() {
  int status = 0;
  REQUIRE(::waitpid(pid_, &status, 0) == pid_);
  ended_ = !WIFSTOPPED(status);
  pending_ = ended_ || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
}

bool StoppedProcess::step(int deliver) {
  ::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, static_cast<long>(deliver));
  await_stop();
  return !ended_;
}

int StoppedProcess::run(int deliver) {
  ::ptrace(PTRACE_CONT, pid_, nullptr, static_cast<long>(deliver));
  await_stop();
  if (ended_) return 0;
  return pending_ == 0 ? SIGTRAP : pending_;
}

user_regs_struct StoppedProcess::registers() const {
  user_regs_struct regs{};
  ::ptrace(PTRACE_GETREGS, pid_, nullptr, &regs);
  return regs;
}

void StoppedProcess::set_registers(const user_regs_struct& regs) {
  REQUIRE(::ptrace(PTRACE_SETREGS, pid_, nullptr, &regs) == 0);
}

std::uint64_t StoppedProcess::word(std::uint64_t addr) const {
  std::uint64_t value = 0;
  return walker_->read(&value, sizeof(value), addr) ? value : 0;
}

void StoppedProcess::set_word(std::uint64_t addr, std::uint64_t value) {
  REQUIRE(walker_->write(addr, &value, sizeof(value)));
}

std::uint64_t StoppedProcess::slot_of(const std::vector<std::uint64_t>& frames,
                                      std::size_t at) const {
  std::uint64_t slot = registers().rsp - 8;
  std::uint64_t value = 0;
  for (std::size_t i = 1; i <= at; ++i) {
    do {
      slot += sizeof(value);
      REQUIRE(walker_->read(&value, sizeof(value), slot));
    } while (value != frames[i]);
  }
  return slot;
}

void StoppedProcess::read_code() {
  const Result<void> read = walker_->read_code();
  if (!read) FAIL(read.error().message());
}

}  // namespace callscope::test
