// SPDX-License-Identifier: Apache-2.0
// What several symbol tests need: a temporary directory, and names as readelf lists them.
// For tests only; single-threaded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/unit/elf/oracle.hpp"

namespace callscope::test {

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "callscope-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct OracleSymbol {
  std::uint64_t addr = 0;
  std::uint64_t size = 0;
  std::string type;
  std::string name;  // without @VERSION
};

// Defined FUNC, IFUNC and NOTYPE symbols of executable sections, by readelf.
inline std::vector<OracleSymbol> code_symbols(const std::string& path) {
  std::map<std::string, bool> executable;  // section number -> has flag X
  for (const std::string& line : lines_of(run_tool("readelf -SW " + path))) {
    const std::size_t bracket = line.find(']');
    if (!line.starts_with("  [") || bracket == std::string::npos) continue;
    const auto words = words_of(line.substr(bracket + 1));
    if (words.size() < 8) continue;
    const std::string number = words_of(line.substr(3, bracket - 3)).front();
    executable[number] = words[6].find('X') != std::string::npos;
  }
  std::vector<OracleSymbol> symbols;
  for (const std::string& line : lines_of(run_tool("readelf -sW " + path))) {
    const auto words = words_of(line);
    if (words.size() < 8 || words[0].back() != ':' || !executable[words[6]]) continue;
    if (words[3] != "FUNC" && words[3] != "IFUNC" && words[3] != "NOTYPE") continue;
    const std::string name = words[7].substr(0, words[7].find('@', 1));
    symbols.push_back(
        {std::stoull(words[1], nullptr, 16), std::stoull(words[2], nullptr, 0), words[3], name});
  }
  return symbols;
}

}  // namespace callscope::test
