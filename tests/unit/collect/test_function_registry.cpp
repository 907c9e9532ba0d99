// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "collect/function_registry.hpp"

using namespace callscope;

namespace {

FunctionStats function(std::uint32_t module, std::uint64_t addr, const char* name) {
  FunctionStats stats;
  stats.module = module;
  stats.addr = addr;
  stats.name = name;
  return stats;
}

}  // namespace

TEST_CASE("a function has one id, whichever process it is found in", "[unit]") {
  std::vector<FunctionStats> rows;
  FunctionRegistry registry(rows);
  CHECK(registry.add(function(0, 100, "a")) == 0U);
  CHECK(registry.add(function(1, 100, "b")) == 1U);
  CHECK(registry.add(function(0, 100, "a")) == 0U);
  CHECK(registry.find(1, 100) == 1U);
  CHECK_FALSE(registry.find(2, 100));
  CHECK(rows.size() == 2);
}

TEST_CASE("a dropped row moves the others up and keeps the ids", "[unit]") {
  std::vector<FunctionStats> rows;
  FunctionRegistry registry(rows);
  for (const char* name : {"a", "b", "c"})
    registry.add(function(0, static_cast<std::uint64_t>(name[0]), name));
  registry.drop_row(1);
  CHECK(rows.size() == 2);
  CHECK(registry.stats(2)->name == "c");
  CHECK(registry.row(2) == 1U);
  CHECK(registry.stats(1) == nullptr);
  registry.drop_row(1);
  CHECK(rows.size() == 2);
}

TEST_CASE("no function gets an id beyond the capacity", "[unit]") {
  std::vector<FunctionStats> rows;
  FunctionRegistry registry(rows);
  registry.add(function(0, 1, "a"));
  registry.set_capacity(1);
  CHECK_FALSE(registry.add(function(0, 2, "b")));
  CHECK(registry.add(function(0, 1, "a")) == 0U);
  CHECK(rows.size() == 1);
}
