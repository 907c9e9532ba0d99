// SPDX-License-Identifier: Apache-2.0
// The mechanisms are tried for real, and nothing of ours stays behind.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "bpf/mechanism_trial.hpp"
#include "bpf/mechanisms.hpp"
#include "ways.hpp"

using namespace callscope;

namespace {

std::size_t open_fds() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("trying the mechanisms leaves no descriptor open", "[bpf]") {
  (void)probe_mechanisms();  // first use opens what libraries keep
  const std::size_t before = open_fds();
  const std::vector<Mechanism> mechanisms = probe_mechanisms();
  CHECK(open_fds() == before);
  CHECK(mechanisms.size() >= 5);
  for (const Mechanism& mechanism : mechanisms) {
    INFO(mechanism.name);
    CHECK_FALSE(mechanism.detail.empty());
  }
}

// The quick question gives the answer that attaching gives.
TEST_CASE("a mechanism works where its trial says so, and nowhere else", "[bpf]") {
  const std::vector<Mechanism> attached = probe_mechanisms();
  for (const auto mechanism :
       {ProbeMechanism::kSession, ProbeMechanism::kMulti, ProbeMechanism::kPerfEvent}) {
    const auto known = std::ranges::find(attached, mechanism_name(mechanism), &Mechanism::name);
    REQUIRE(known != attached.end());
    INFO(known->name);
    CHECK(try_mechanism(mechanism).has_value() == known->available);
  }
}

TEST_CASE("ctest runs every way", "[bpf]") {
  std::string names;
  for (const test::Way& way : test::all_ways()) names += (names.empty() ? "" : " ") + way.name;
  CHECK(names == CALLSCOPE_WAYS);
}
