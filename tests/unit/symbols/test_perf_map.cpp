// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <random>

#include "symbols/perf_map.hpp"
#include "symbols/perf_map_file.hpp"
#include "tests/unit/symbols/sample_file.hpp"

using callscope::PerfMap;
using callscope::PerfMapFile;
using callscope::TargetRoot;

namespace {

std::string name_at(const PerfMap& map, std::uint64_t addr) {
  const auto match = map.find(addr);
  return match ? std::string(match->name) : std::string();
}

}  // namespace

TEST_CASE("perf map entries cover [start, start + size)", "[unit]") {
  PerfMap map;
  map.add("1000 10 first\n0x2000 0x20 LazyCompile:*f /a b.js:1\n");
  CHECK(name_at(map, 0xfff).empty());
  CHECK(name_at(map, 0x1000) == "first");
  CHECK(name_at(map, 0x100f) == "first");
  CHECK(name_at(map, 0x1010).empty());
  CHECK(name_at(map, 0x201f) == "LazyCompile:*f /a b.js:1");
  CHECK(map.find(0x201f)->sym_off == 0x1f);
}

TEST_CASE("the later line wins where perf map entries overlap", "[unit]") {
  std::mt19937 random(7);
  PerfMap map;
  std::string painted[512];
  std::uint64_t starts[512] = {};
  for (int i = 0; i < 400; ++i) {
    const std::uint64_t start = random() % 480;
    const std::uint64_t size = random() % 31 + 1;
    char line[64];
    std::snprintf(line, sizeof(line), "%lx %lx f%d\n", start, size, i);
    CHECK(map.add(line) == std::string_view(line).size());
    for (std::uint64_t at = start; at < start + size; ++at) {
      painted[at] = "f" + std::to_string(i);
      starts[at] = start;
    }
  }
  for (std::uint64_t at = 0; at < 512; ++at) {
    CHECK(name_at(map, at) == painted[at]);
    if (!painted[at].empty()) CHECK(map.find(at)->sym_off == at - starts[at]);
  }
}

TEST_CASE("bad perf map lines are counted and skipped", "[unit]") {
  PerfMap map;
  map.add(
      "\n1000 10 good\nxyz 10 f\n1000\n1000 10\n1000 10 \n-5 10 f\nffffffffffffffff 10 over\n"
      "11111111111111111 1 long\n2000 0 empty\n3000 8 also good\r\n");
  CHECK(map.bad_lines() == 7);
  CHECK(map.size() == 2);
  CHECK(name_at(map, 0x3007) == "also good");
}

TEST_CASE("a perf map line that is still being written is left for later", "[unit]") {
  const std::string text = "1000 10 first\n2000 20 second\n";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    PerfMap map;
    const std::size_t used = map.add(std::string_view(text).substr(0, size));
    CHECK(used == (size == text.size() ? text.size() : size >= 14 ? 14U : 0U));
    map.add(std::string_view(text).substr(used));
    CHECK(map.bad_lines() == 0);
    CHECK(name_at(map, 0x2001) == "second");
  }
}

TEST_CASE("a perf map file is followed as it grows and when it is written anew", "[unit]") {
  const std::string path = "/tmp/perf-" + std::to_string(::getpid()) + ".map";
  const auto root = TargetRoot::of_process(::getpid());
  REQUIRE(root);
  PerfMapFile file(::getpid());
  CHECK_FALSE(file.refresh(&*root));  // not there yet
  std::ofstream(path) << "1000 10 first\n2000 10 sec";
  CHECK(file.refresh(&*root));
  CHECK(name_at(file.map(), 0x1000) == "first");
  CHECK(file.map().size() == 1);
  CHECK_FALSE(file.refresh(&*root));
  std::ofstream(path, std::ios::app) << "ond\n";
  CHECK(file.refresh(&*root));
  CHECK(name_at(file.map(), 0x2000) == "second");
  std::ofstream(path) << "3000 8 new\n";
  CHECK(file.refresh(&*root));
  CHECK(name_at(file.map(), 0x1000).empty());
  CHECK(name_at(file.map(), 0x3000) == "new");
  std::filesystem::remove(path);
  CHECK_FALSE(file.refresh(&*root));  // still open, nothing new
}
