// SPDX-License-Identifier: Apache-2.0
// The files of tests/unit/flamegraph/data.
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

namespace callscope::test {

// The whole file; fails the test if there is none.
inline std::string read_data(const std::string& name) {
  std::ifstream file(CALLSCOPE_TEST_DATA "/unit/flamegraph/data/" + name, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace callscope::test
