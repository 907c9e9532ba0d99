// SPDX-License-Identifier: Apache-2.0
// A child that executes /bin/true and has ended: what the perf side-band said of it.
#pragma once

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "sys/process_events.hpp"

namespace callscope::test {

// In their order. Needs root.
inline std::vector<ProcessEvent> events_of_short_program() {
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
  std::vector<ProcessEvent> seen = events->drain();
  std::erase_if(seen, [&](const ProcessEvent& event) { return event.pid != child; });
  return seen;
}

}  // namespace callscope::test
