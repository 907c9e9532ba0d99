// SPDX-License-Identifier: Apache-2.0
// Source frames by independent tools: binutils' addr2line, and elfutils' where that errs. For tests
// only; single-threaded.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "symbols/source_frames.hpp"
#include "tests/unit/symbols/sample_file.hpp"

namespace callscope::test {

inline std::string file_name(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

// "/x/y.cpp:12 (discriminator 3)", "??:?", "/x/y.cpp:12:7"
inline void set_place(SourceFrame& frame, std::string place) {
  place = place.substr(0, place.find(" (discriminator"));
  const std::size_t colon = place.find(':', place.find_last_of('/') + 1);
  frame.file = place.substr(0, colon);
  if (frame.file == "??") frame.file.clear();
  const std::string line = place.substr(colon + 1);
  frame.line = line.starts_with('?') ? 0 : static_cast<std::uint32_t>(std::stoul(line));
}

inline std::map<std::uint64_t, SourceFrames> addr2line(const std::string& path,
                                                       const std::vector<std::uint64_t>& addrs) {
  const TempDir dir;
  {
    std::ofstream list(dir.file("addrs"));
    for (const std::uint64_t addr : addrs) list << fmt::format("{:#x}\n", addr);
  }
  std::map<std::uint64_t, SourceFrames> frames;
  SourceFrames* at = nullptr;
  bool function = true;
  for (const std::string& line :
       lines_of(run_tool("addr2line -a -f -i -e " + path + " < " + dir.file("addrs")))) {
    if (line.starts_with("0x") && function) {
      at = &frames[std::stoull(line, nullptr, 16)];
      continue;
    }
    REQUIRE(at != nullptr);
    if (function)
      at->push_back({line == "??" ? "" : line, {}, 0});
    else
      set_place(at->back(), line);
    function = !function;
  }
  return frames;
}

// "name:line" of each frame, innermost first.
inline std::vector<std::string> places_of(const SourceFrames& frames) {
  std::vector<std::string> places;
  for (const SourceFrame& frame : frames)
    places.push_back(fmt::format("{}:{}", file_name(frame.file), frame.line));
  return places;
}

inline std::vector<std::string> eu_places(const std::string& path, std::uint64_t addr) {
  SourceFrames frames;
  for (const std::string& line :
       lines_of(run_tool(fmt::format("eu-addr2line -i -e {} {:#x}", path, addr))))
    set_place(frames.emplace_back(), line);
  return places_of(frames);
}

// addr2line shows a linker name, or the last part of the name in the source.
inline bool same_function(const std::string& ours, const std::string& shown) {
  return ours == shown || ours.ends_with("::" + shown);
}

}  // namespace callscope::test
