// SPDX-License-Identifier: Apache-2.0
// .eh_frame as we read it against readelf -wF.
#include <algorithm>
#include <catch2/catch.hpp>
#include <charconv>
#include <map>

#include "elf/frame_table.hpp"
#include "oracle.hpp"
#include "sys/mapped_file.hpp"

using namespace callscope;

namespace {

std::uint64_t hex(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

// "rsp+16" as readelf prints it.
CfaRule rule(const std::string& text) {
  const std::size_t sign = text.find_first_of("+-");
  const std::string reg = text.substr(0, sign);
  if (reg != "rsp" && reg != "rbp") return {CfaRule::Base::kOther, 0};
  std::int64_t offset = 0;
  std::from_chars(text.data() + sign + 1, text.data() + text.size(), offset);
  return {reg == "rsp" ? CfaRule::Base::kRsp : CfaRule::Base::kRbp,
          text[sign] == '-' ? -offset : offset};
}

struct Oracle {
  std::vector<FrameTable::Piece> pieces;  // by address
  std::map<std::uint64_t, CfaRule> rows;  // in force from the address on
};

// readelf exits with 1 when the separate debug file of a library is not installed.
Oracle readelf(const std::string& path) {
  Oracle oracle;
  bool fde = false;
  for (const std::string& line :
       test::lines_of(test::run_tool("readelf -wF " + path + " || true"))) {
    const auto words = test::words_of(line);
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

}  // namespace

TEST_CASE("pieces of code and frame rules are those of readelf", "[unit]") {
  const std::string path = test::libc_path();
  const auto file = MappedFile::open(path);
  REQUIRE(file);
  const auto image = ElfImage::parse(file->bytes());
  REQUIRE(image);
  const FrameTable frames(*image);
  const Oracle oracle = readelf(path);
  REQUIRE(oracle.pieces.size() > 1000);
  CHECK(frames.pieces() == oracle.pieces);

  std::size_t wrong = 0;
  std::size_t by_rbp = 0;
  for (const auto& [addr, expected] : oracle.rows) {
    const CfaRule found = frames.cfa_at(addr);
    by_rbp += found.base == CfaRule::Base::kRbp ? 1 : 0;
    if (found == expected) continue;
    ++wrong;
    UNSCOPED_INFO(std::hex << "at " << addr);
  }
  CHECK(wrong == 0);
  CHECK(oracle.rows.size() > 10000);
  CHECK(by_rbp > 0);

  const FrameTable::Piece piece = frames.pieces()[frames.pieces().size() / 2];
  CHECK(frames.piece_at(piece.start) == piece);
  CHECK(frames.piece_at(piece.end - 1) == piece);
  CHECK_FALSE(frames.piece_at(frames.pieces().back().end));
  CHECK_FALSE(frames.piece_at(0));
  CHECK(frames.cfa_at(frames.pieces().back().end).base == CfaRule::Base::kNone);
}

TEST_CASE("a file without a frame table has no pieces and no rules", "[unit]") {
  const auto file = MappedFile::open(CALLSCOPE_ELF_SAMPLE);
  REQUIRE(file);
  std::vector<std::uint8_t> bytes(file->bytes().begin(), file->bytes().end());
  std::fill_n(bytes.begin() + offsetof(Elf64_Ehdr, e_phnum), 2, std::uint8_t{0});
  const auto image = ElfImage::parse(bytes);
  REQUIRE(image);
  const FrameTable frames(*image);
  CHECK(frames.pieces().empty());
  CHECK(frames.cfa_at(0x1000).base == CfaRule::Base::kNone);
}
