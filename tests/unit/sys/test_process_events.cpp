// SPDX-License-Identifier: Apache-2.0
// The perf side-band tells of what a child does, in its order.
#include <catch2/catch.hpp>

#include <unistd.h>

#include <vector>

#include "sys/process_events.hpp"
#include "tests/unit/short_program.hpp"

using namespace callscope;
using Kind = ProcessEvent::Kind;

TEST_CASE("forks, programs, mapped code and ends of a child are told in their order") {
  if (::geteuid() != 0) return;  // not allowed
  std::vector<Kind> seen;
  for (const ProcessEvent& event : test::events_of_short_program()) {
    if (event.kind == Kind::kFork) CHECK(event.other == ::getpid());
    CHECK(event.path.empty() == (event.kind != Kind::kMapped));
    if (seen.empty() || seen.back() != event.kind) seen.push_back(event.kind);
  }
  CHECK(seen == std::vector<Kind>{Kind::kFork, Kind::kExec, Kind::kMapped, Kind::kExit});
}
