// SPDX-License-Identifier: Apache-2.0
// Runs an independent tool (readelf, nm, c++filt ...) and gives back what it printed. For tests
// only; single-threaded.
#pragma once

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

namespace callscope::test {

// Standard output of a shell command; fails the test when the command fails.
inline std::string run_tool(const std::string& command) {
  FILE* const pipe = ::popen(("timeout 60 sh -c '" + command + "'").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 65536> buffer;
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), got);
  INFO(command);
  REQUIRE(::pclose(pipe) == 0);
  return text;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream in(line);
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// The C library as this very process has it mapped.
inline std::string libc_path() {
  for (const std::string& line : lines_of(run_tool("cat /proc/self/maps")))
    if (line.find("libc.so.6") != std::string::npos) return words_of(line).back();
  FAIL("no C library is mapped");
  return {};
}

}  // namespace callscope::test
