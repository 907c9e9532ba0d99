// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "target/launcher.hpp"
#include "target/proc_text.hpp"
#include "target/process.hpp"

using namespace callscope;

TEST_CASE("a running process is described", "[unit]") {
  Result<LaunchedTarget> sleeper = LaunchedTarget::start({{"sleep", "60", "0.5"}, {}});
  REQUIRE(sleeper.has_value());
  REQUIRE(sleeper->resume().has_value());
  const Result<Process> process = Process::open(sleeper->pid());
  REQUIRE(process.has_value());
  CHECK(process->alive());
  const Result<Target> target = process->describe();
  REQUIRE(target.has_value());
  CHECK(target->pid == sleeper->pid());
  CHECK(target->comm == "sleep");
  CHECK(target->exe == std::filesystem::canonical("/bin/sleep"));
  CHECK(target->cmdline == "sleep 60 0.5");
  CHECK(target->start_ticks == process->start_ticks());
  CHECK(process->namespace_pid().value() == sleeper->pid());

  REQUIRE(::kill(sleeper->pid(), SIGKILL) == 0);
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(sleeper->pid()), &info, WEXITED | WNOWAIT) == 0);
  CHECK_FALSE(process->alive());
  const Result<Process> zombie = Process::open(sleeper->pid());
  REQUIRE_FALSE(zombie.has_value());
  CHECK(zombie.error().what.find("waits to be reaped by process " + std::to_string(::getpid())) !=
        std::string::npos);
  CHECK(WTERMSIG(sleeper->wait_status().value()) == SIGKILL);
  CHECK(process->describe().error().code == ErrorCode::kNotFound);
  CHECK(Process::open(sleeper->pid()).error().code == ErrorCode::kNotFound);
}

TEST_CASE("what cannot be a target is refused", "[unit]") {
  CHECK(Process::open(0).error().code == ErrorCode::kUsage);
  CHECK(Process::open(-5).error().code == ErrorCode::kUsage);
  CHECK(Process::open(::getpid()).error().what ==
        "PID " + std::to_string(::getpid()) + " is callscope itself");
  CHECK(Process::open(0x3fffff + 1).error().code == ErrorCode::kNotFound);
  const Result<Process> kernel_thread = Process::open(2);  // kthreadd, outside of containers
  if (!kernel_thread) CHECK_FALSE(kernel_thread.error().hint.empty());
}

TEST_CASE("a thread ID names the process it belongs to", "[unit]") {
  std::atomic<pid_t> tid = 0;
  std::atomic<bool> done = false;
  std::thread thread([&] {
    tid = static_cast<pid_t>(::syscall(SYS_gettid));
    tid.notify_one();
    done.wait(false);
  });
  tid.wait(0);
  const Result<Process> process = Process::open(tid);
  const Result<std::vector<Thread>> threads = read_threads(::getpid());
  done = true;
  done.notify_one();
  thread.join();
  REQUIRE_FALSE(process.has_value());
  CHECK(process.error().code == ErrorCode::kNotFound);
  CHECK(process.error().hint == "use -p " + std::to_string(::getpid()));
  REQUIRE(threads.has_value());
  REQUIRE(threads->size() == 2);
  CHECK(threads->front().tid == ::getpid());
  CHECK(threads->back().tid == tid);
  CHECK(threads->back().comm == "unit_target");
}

TEST_CASE("a process name with parentheses and blanks does not shift the fields", "[unit]") {
  const std::string line =
      "42 (a) b (c) S 7 42 42 0 -1 4194304 100 9 3 8 250 50 1 1 20 0 5 0 987654 1048576 300 x\n";
  const std::optional<ProcStat> stat = parse_proc_stat(line);
  REQUIRE(stat.has_value());
  CHECK(stat->comm == "a) b (c");
  CHECK(stat->state == 'S');
  CHECK(stat->ppid == 7);
  CHECK(stat->minor_faults == 100);
  CHECK(stat->major_faults == 3);
  CHECK(stat->utime_ticks == 250);
  CHECK(stat->stime_ticks == 50);
  CHECK(stat->threads == 5);
  CHECK(stat->start_ticks == 987654);
  CHECK(stat->vms_bytes == 1048576);
  CHECK_FALSE(stat->is_kernel_thread());
  const std::size_t last = line.find(" 300");
  for (std::size_t length = 0; length < last - 7; ++length)
    CHECK_FALSE(parse_proc_stat(line.substr(0, length)).has_value());
}

TEST_CASE("status fields are found by their whole name", "[unit]") {
  const std::string text = "Name:\tx\nVmRSS:\t   12 kB\nCapEff:\t00000000000000ff\nNSpid:\t9\t1\n";
  CHECK(status_number(text, "VmRSS") == 12);
  CHECK_FALSE(status_number(text, "Vm"));
  CHECK_FALSE(status_number(text, "VmSwap"));
  CHECK(status_number(text, "CapEff", 16) == 255);
  CHECK(status_field(text, "NSpid") == "9\t1");
}
