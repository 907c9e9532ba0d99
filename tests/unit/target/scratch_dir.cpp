// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/target/scratch_dir.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace callscope::test {

ScratchDir::ScratchDir() {
  std::string name = (std::filesystem::temp_directory_path() / "callscope-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  root_ = name;
}

ScratchDir::~ScratchDir() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

std::string ScratchDir::write(const std::string& name, const std::string& content) const {
  std::ofstream(root_ / name) << content;
  return path(name);
}

std::string read_all(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace callscope::test
