// SPDX-License-Identifier: Apache-2.0
// A directory of its own for one test, removed with everything in it at the end.
#pragma once

#include <filesystem>
#include <string>

namespace callscope::test {

class ScratchDir {
 public:
  ScratchDir();
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  ~ScratchDir();

  [[nodiscard]] std::string path(const std::string& name) const { return root_ / name; }
  // Creates the file and returns its path.
  [[nodiscard]] std::string write(const std::string& name, const std::string& content) const;

 private:
  std::filesystem::path root_;
};

std::string read_all(const std::string& path);  // empty if there is no such file

}  // namespace callscope::test
