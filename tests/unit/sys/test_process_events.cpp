// SPDX-License-Identifier: Apache-2.0
// The perf side-band tells of what a child does, in its order.
#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "sys/process_events.hpp"

using namespace callscope;
using Kind = ProcessEvent::Kind;

TEST_CASE("forks, programs, mapped code and ends of a child are told in their order") {
  if (::geteuid() != 0) return;  // not allowed
  Result<ProcessEvents> events = ProcessEvents::open();
  REQUIRE(events);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/bin/true", "true", nullptr);
    ::_exit(127);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  std::vector<Kind> seen;
  for (const ProcessEvent& event : events->drain()) {
    if (event.pid != child) continue;
    if (event.kind == Kind::kFork) CHECK(event.other == ::getpid());
    CHECK(event.path.empty() == (event.kind != Kind::kMapped));
    if (seen.empty() || seen.back() != event.kind) seen.push_back(event.kind);
  }
  CHECK(seen == std::vector<Kind>{Kind::kFork, Kind::kExec, Kind::kMapped, Kind::kExit});
}
