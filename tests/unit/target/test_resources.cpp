// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "sys/clock.hpp"
#include "target/fd_kinds.hpp"
#include "target/resources.hpp"
#include "tests/unit/target/child.hpp"
#include "tests/unit/target/scratch_dir.hpp"

using namespace callscope;
using callscope::test::Child;

namespace {

void say_ready_and_wait() {
  char byte = 'r';
  if (::write(STDOUT_FILENO, &byte, 1) != 1) ::_exit(1);
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

// Drops what the test program itself has open besides standard error, which /dev/null becomes.
void start_clean() {
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(null, STDERR_FILENO);
  ::close(null);
}

}  // namespace

TEST_CASE("open descriptors are counted by kind", "[unit]") {
  const test::ScratchDir scratch;
  const std::string file = scratch.write("file", "x");
  const std::string fifo = scratch.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const Child child([&] {
    start_clean();  // 2 pipes and a device are left
    for (int i = 0; i < 3; ++i) ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    ::unlink(file.c_str());
    for (int i = 0; i < 4; ++i) ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::open(fifo.c_str(), O_RDWR | O_CLOEXEC);
    ::eventfd(0, 0);
    ::epoll_create1(0);
    ::memfd_create("memory", 0);
    ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    say_ready_and_wait();
  });
  REQUIRE(child.read_byte() == 'r');
  const Result<FdKinds> kinds = count_fds(child.pid());
  REQUIRE(kinds.has_value());
  CHECK(kinds->files == 3);
  CHECK(kinds->sockets == 4);
  CHECK(kinds->pipes == 3);
  CHECK(kinds->anon == 3);
  CHECK(kinds->other == 3);  // /dev/null, a directory, a namespace
  const Result<ResourceSnapshot> snapshot = read_resources(child.pid());
  REQUIRE(snapshot.has_value());
  CHECK(snapshot->fds == 16);
  CHECK(snapshot->fd_sockets == 4);
}

TEST_CASE("memory that a process touches is in its snapshot", "[unit]") {
  constexpr std::size_t kTouched = 32U << 20U;
  constexpr std::size_t kReserved = 256U << 20U;
  const auto body = [](std::size_t touched, std::size_t reserved) {
    if (reserved > 0) {
      ::mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      void* const data =
          ::mmap(nullptr, touched, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      std::memset(data, 1, touched);
    }
    say_ready_and_wait();
  };
  const Child small([&] { body(0, 0); });
  const Child large([&] { body(kTouched, kReserved); });
  REQUIRE(small.read_byte() == 'r');
  REQUIRE(large.read_byte() == 'r');
  const Result<ResourceSnapshot> before = read_resources(small.pid());
  const Result<ResourceSnapshot> after = read_resources(large.pid());
  REQUIRE(before.has_value());
  REQUIRE(after.has_value());
  constexpr std::size_t kSlack = 1U << 20U;
  CHECK(after->vms_bytes - before->vms_bytes == kTouched + kReserved);
  CHECK(after->rss_bytes - before->rss_bytes >= kTouched - kSlack);
  CHECK(after->rss_bytes - before->rss_bytes <= kTouched + kSlack);
  CHECK(after->pss_bytes - before->pss_bytes >= kTouched - kSlack);
  CHECK(after->minor_faults > before->minor_faults);
  CHECK(after->threads == 1);
  CHECK(after->swap_bytes == 0);
  CHECK(read_resources(large.pid(), false)->pss_bytes == 0);
}

TEST_CASE("our own CPU time, switches and threads agree with getrusage", "[unit]") {
  rusage before{};
  rusage after{};
  const std::uint64_t until = monotonic_ns() + 200'000'000;
  while (monotonic_ns() < until) {
  }
  REQUIRE(::getrusage(RUSAGE_SELF, &before) == 0);
  const Result<ResourceSnapshot> snapshot = read_resources(::getpid());
  REQUIRE(::getrusage(RUSAGE_SELF, &after) == 0);
  REQUIRE(snapshot.has_value());
  const auto ns = [](const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(time.tv_usec) * 1'000U;
  };
  constexpr std::uint64_t kTwoTicks = 20'000'000;
  CHECK(snapshot->utime_ns + kTwoTicks >= ns(before.ru_utime));
  CHECK(snapshot->utime_ns <= ns(after.ru_utime) + kTwoTicks);
  CHECK(snapshot->stime_ns + kTwoTicks >= ns(before.ru_stime));
  CHECK(snapshot->stime_ns <= ns(after.ru_stime) + kTwoTicks);
  CHECK(snapshot->voluntary_switches <= static_cast<std::uint64_t>(after.ru_nvcsw));
  CHECK(snapshot->involuntary_switches <= static_cast<std::uint64_t>(after.ru_nivcsw));
  CHECK(snapshot->minor_faults >= static_cast<std::uint64_t>(before.ru_minflt));
  CHECK(snapshot->minor_faults <= static_cast<std::uint64_t>(after.ru_minflt));
}

TEST_CASE("a process that has ended has no snapshot, reaped or not", "[unit]") {
  pid_t pid = 0;
  {
    const Child child([] {});
    pid = child.pid();
    CHECK(child.read_byte() == '\0');
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
    const Result<ResourceSnapshot> zombie = read_resources(pid);
    REQUIRE_FALSE(zombie.has_value());
    CHECK(zombie.error().code == ErrorCode::kNotFound);
  }
  CHECK(read_resources(pid).error().code == ErrorCode::kNotFound);
  CHECK(count_fds(pid).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a snapshot of many descriptors and mappings is quick", "[unit]") {
  const Child child([] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < 100'000 && ::dup(STDIN_FILENO) >= 0; ++i) {
    }
    for (int i = 0; i < 10'000; ++i) {  // alternating rights keep the kernel from merging them
      ::mmap(nullptr, 4096, i % 2 == 0 ? PROT_READ : PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    say_ready_and_wait();
  });
  REQUIRE(child.read_byte() == 'r');
  const std::uint64_t start = monotonic_ns();
  const Result<FdKinds> kinds = count_fds(child.pid());
  const Result<ResourceSnapshot> snapshot = read_resources(child.pid());
  const std::uint64_t done = monotonic_ns();
  REQUIRE(kinds.has_value());
  REQUIRE(snapshot.has_value());
  CHECK(kinds->pipes > 1000);
  CHECK(snapshot->fd_pipes == kinds->pipes);
  CHECK(done - start < 5'000'000'000U);
}
