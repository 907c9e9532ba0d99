// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <random>

#include "model/snapshot_thinning.hpp"

using callscope::ResourceSnapshot;
using callscope::thin_snapshots;

namespace {

constexpr std::array kExtremes = {&ResourceSnapshot::rss_bytes, &ResourceSnapshot::vms_bytes,
                                  &ResourceSnapshot::pss_bytes, &ResourceSnapshot::fds,
                                  &ResourceSnapshot::threads};

ResourceSnapshot random_snapshot(std::uint64_t t_ns, std::mt19937_64& random) {
  ResourceSnapshot s;
  s.t_ns = t_ns;
  for (const auto field : kExtremes) s.*field = random() % 1'000'000;
  return s;
}

std::vector<ResourceSnapshot> thin_as_they_come(const std::vector<ResourceSnapshot>& all,
                                                std::size_t max_count) {
  std::vector<ResourceSnapshot> kept;
  for (const ResourceSnapshot& s : all) {
    kept.push_back(s);
    thin_snapshots(kept, max_count);
    REQUIRE(kept.size() <= std::max<std::size_t>(max_count, 2));
  }
  return kept;
}

std::vector<ResourceSnapshot> random_history(std::size_t count) {
  std::mt19937_64 random(count);
  std::vector<ResourceSnapshot> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(random_snapshot(i, random));
  return all;
}

}  // namespace

TEST_CASE("snapshots are kept as they are up to the limit", "[unit]") {
  const std::vector<ResourceSnapshot> all = random_history(1000);
  CHECK(thin_as_they_come(all, 1000) == all);
}

TEST_CASE("thinning keeps the first, the last and every extreme", "[unit]") {
  for (const std::size_t max_count : {12U, 20U, 100U, 1000U}) {
    const std::vector<ResourceSnapshot> all = random_history(5 * max_count + 3);
    const std::vector<ResourceSnapshot> kept = thin_as_they_come(all, max_count);
    CHECK(kept.front() == all.front());
    CHECK(kept.back() == all.back());
    CHECK(std::ranges::is_sorted(kept, {}, &ResourceSnapshot::t_ns));
    for (const auto field : kExtremes) {
      CHECK(std::ranges::count(kept, std::ranges::min(all, {}, field).*field, field) > 0);
      CHECK(std::ranges::count(kept, std::ranges::max(all, {}, field).*field, field) > 0);
    }
    CHECK(kept.size() > max_count / 2);
  }
}

TEST_CASE("thinning makes old history coarser and leaves the recent half whole", "[unit]") {
  std::vector<ResourceSnapshot> all(1001);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].t_ns = i;
  thin_snapshots(all, 1000);
  CHECK(all.size() == 875);
  // Every second of the oldest is gone: 126 of 1 .. 252.
  CHECK(all[1].t_ns == 2);
  CHECK(all[2].t_ns == 4);
  std::vector<std::uint64_t> recent;
  for (std::size_t i = all.size() - 500; i < all.size(); ++i) recent.push_back(all[i].t_ns);
  CHECK(recent.front() == 501);
  CHECK(std::ranges::adjacent_find(recent, [](auto a, auto b) { return b != a + 1; }) ==
        recent.end());
}

TEST_CASE("long histories stay evenly covered, within a factor of four", "[unit]") {
  std::vector<ResourceSnapshot> all(20'000);
  std::mt19937_64 random(1);
  // A second each, with a timer that is up to a tenth late.
  for (std::size_t i = 0; i < all.size(); ++i) all[i].t_ns = 1000 * i + random() % 100;
  const std::vector<ResourceSnapshot> kept = thin_as_they_come(all, 1000);
  std::uint64_t widest = 0;
  for (std::size_t i = 1; i < kept.size(); ++i) {
    widest = std::max(widest, kept[i].t_ns - kept[i - 1].t_ns);
  }
  CHECK(widest < 4 * 20 * 1000);
  CHECK(kept.size() >= 800);
}

TEST_CASE("tiny limits still keep the first and the last", "[unit]") {
  for (const std::size_t max_count : {0U, 1U, 2U, 3U, 5U}) {
    const std::vector<ResourceSnapshot> all = random_history(50);
    const std::vector<ResourceSnapshot> kept = thin_as_they_come(all, max_count);
    CHECK(kept.front() == all.front());
    CHECK(kept.back() == all.back());
  }
}
