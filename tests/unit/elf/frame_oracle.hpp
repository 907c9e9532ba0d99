// SPDX-License-Identifier: Apache-2.0
// .eh_frame as readelf -wF interprets it. For tests only; single-threaded.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "elf/frame_table.hpp"
#include "tests/unit/elf/oracle.hpp"

namespace callscope::test {

inline std::uint64_t hex(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

// "rsp+16" as readelf prints it.
inline CfaRule rule(const std::string& text) {
  const std::size_t sign = text.find_first_of("+-");
  const std::string reg = text.substr(0, sign);
  if (reg != "rsp" && reg != "rbp") return {CfaRule::Base::kOther, 0};
  std::int64_t offset = 0;
  std::from_chars(text.data() + sign + 1, text.data() + text.size(), offset);
  return {reg == "rsp" ? CfaRule::Base::kRsp : CfaRule::Base::kRbp,
          text[sign] == '-' ? -offset : offset};
}

struct FrameOracle {
  std::vector<FrameTable::Piece> pieces;  // by address
  std::map<std::uint64_t, CfaRule> rows;  // in force from the address on
};

// readelf exits with 1 when the separate debug file of a library is not installed.
inline FrameOracle read_frames(const std::string& path) {
  FrameOracle oracle;
  bool fde = false;
  for (const std::string& line : lines_of(run_tool("readelf -wF " + path + " || true"))) {
    const auto words = words_of(line);
    if (words.size() > 3 && (words[3] == "FDE" || words[3] == "CIE")) fde = words[3] == "FDE";
    if (const std::size_t pc = line.find(" pc="); fde && pc != std::string::npos) {
      const std::size_t dots = line.find("..", pc);
      oracle.pieces.push_back(
          {hex(std::string_view(line).substr(pc + 4, dots - pc - 4)), hex(line.substr(dots + 2))});
      // An FDE without rows of its own has those of its CIE, which on x86-64 is this one.
      oracle.rows[oracle.pieces.back().start] = kCfaAtEntry;
    } else if (fde && words.size() > 1 && words[0].size() == 16 && words[1] != "ZERO") {
      oracle.rows[hex(words[0])] = rule(words[1]);
    }
  }
  std::ranges::sort(oracle.pieces, {}, &FrameTable::Piece::start);
  return oracle;
}

}  // namespace callscope::test
