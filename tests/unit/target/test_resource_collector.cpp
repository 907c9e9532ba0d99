// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "collect/resources.hpp"
#include "tests/unit/target/child.hpp"

using namespace callscope;
using callscope::test::Child;

namespace {
constexpr std::uint64_t kSecond = 1'000'000'000;
}

TEST_CASE("snapshots are taken at the interval, at the start and at the end", "[unit]") {
  const Child child({"cat"});
  ResourceCollector collector(child.pid(), kSecond, 100);
  std::vector<ResourceSnapshot> snapshots;
  for (const std::uint64_t ms : {0, 500, 990, 1400, 1980, 2000})
    REQUIRE(collector.take(ms * 1'000'000, snapshots).has_value());
  REQUIRE(collector.finish(2 * kSecond + 1, snapshots).has_value());
  REQUIRE(snapshots.size() == 4);
  CHECK(snapshots[0].t_ns == 0);
  CHECK(snapshots[1].t_ns == 990'000'000);
  CHECK(snapshots[2].t_ns == 1'980'000'000);
  CHECK(snapshots[3].t_ns == 2 * kSecond + 1);
  CHECK(snapshots[0].threads == 1);
}

TEST_CASE("the number of snapshots stays bounded and keeps both ends", "[unit]") {
  const Child child({"cat"});
  ResourceCollector collector(child.pid(), kSecond, 20);
  std::vector<ResourceSnapshot> snapshots;
  for (std::uint64_t t = 0; t < 100; ++t)
    REQUIRE(collector.take(t * kSecond, snapshots).has_value());
  CHECK(snapshots.size() <= 20);
  CHECK(snapshots.front().t_ns == 0);
  CHECK(snapshots.back().t_ns == 99 * kSecond);
}

TEST_CASE("the last snapshot of a target that has ended stays", "[unit]") {
  std::vector<ResourceSnapshot> snapshots;
  pid_t pid = 0;
  {
    const Child child({"cat"});
    pid = child.pid();
    REQUIRE(ResourceCollector(pid, kSecond, 20).take(0, snapshots).has_value());
  }
  ResourceCollector collector(pid, kSecond, 20);
  CHECK(collector.take(kSecond, snapshots).error().code == ErrorCode::kNotFound);
  CHECK(collector.finish(kSecond, snapshots).error().code == ErrorCode::kNotFound);
  CHECK(snapshots.size() == 1);
}
