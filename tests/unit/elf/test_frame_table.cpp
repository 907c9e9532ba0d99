// SPDX-License-Identifier: Apache-2.0
// .eh_frame as we read it against readelf -wF.
#include <algorithm>
#include <catch2/catch.hpp>

#include "elf/frame_table.hpp"
#include "sys/mapped_file.hpp"
#include "tests/unit/elf/frame_oracle.hpp"

using namespace callscope;

TEST_CASE("pieces of code and frame rules are those of readelf", "[unit]") {
  const std::string path = test::libc_path();
  const auto file = MappedFile::open(path);
  REQUIRE(file);
  const auto image = ElfImage::parse(file->bytes());
  REQUIRE(image);
  const FrameTable frames(*image);
  const test::FrameOracle oracle = test::read_frames(path);
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

TEST_CASE("a file without section headers has the pieces of its .eh_frame all the same", "[unit]") {
  const auto file = MappedFile::open(CALLSCOPE_ELF_SAMPLE);
  REQUIRE(file);
  const auto whole = ElfImage::parse(file->bytes());
  REQUIRE(whole);
  std::vector<std::uint8_t> bytes(file->bytes().begin(), file->bytes().end());
  std::fill_n(bytes.begin() + offsetof(Elf64_Ehdr, e_shoff), 8, std::uint8_t{0});
  const auto image = ElfImage::parse(bytes);
  REQUIRE(image);
  const FrameTable frames(*image);
  CHECK(frames.pieces().size() > 3);
  CHECK(frames.pieces() == FrameTable(*whole).pieces());
  CHECK(frames.cfa_at(frames.pieces().back().start) == kCfaAtEntry);
}

TEST_CASE("a file without a frame table has no pieces and no rules", "[unit]") {
  const auto file = MappedFile::open(CALLSCOPE_ELF_SAMPLE);
  REQUIRE(file);
  std::vector<std::uint8_t> bytes(file->bytes().begin(), file->bytes().end());
  std::fill_n(bytes.begin() + offsetof(Elf64_Ehdr, e_phnum), 2, std::uint8_t{0});
  std::fill_n(bytes.begin() + offsetof(Elf64_Ehdr, e_shoff), 8, std::uint8_t{0});
  const auto image = ElfImage::parse(bytes);
  REQUIRE(image);
  const FrameTable frames(*image);
  CHECK(frames.pieces().empty());
  CHECK(frames.cfa_at(0x1000).base == CfaRule::Base::kNone);
}
