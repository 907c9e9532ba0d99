// SPDX-License-Identifier: Apache-2.0
#include "data_files.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

namespace callscope::test {

std::string read_data(const std::string& name) {
  std::ifstream file(CALLSCOPE_TEST_DATA "/unit/flamegraph/data/" + name, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace callscope::test
