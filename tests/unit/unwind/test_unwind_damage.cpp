// SPDX-License-Identifier: Apache-2.0
// Damaged files: also run with CALLSCOPE_SANITIZE=ON, where any read outside of the bytes ends the
// test.
#include <elf.h>

#include <catch2/catch.hpp>
#include <memory>
#include <random>

#include "tests/unit/unwind/sample_table.hpp"

using namespace callscope;

namespace {

// A table that holds together, or an error; never anything else.
void compile_copy(ByteSpan bytes) {
  const auto copy = std::make_unique<std::uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  const auto image = ElfImage::parse({copy.get(), bytes.size()});
  if (!image) return;
  const Result<UnwindTable> table = compile_unwind_table(*image, &*image);
  if (!table) return;
  for (const UnwindPage& page : table->pages) {
    if (page.count == 0 || page.first + page.count > table->rows.size())
      FAIL("a page without rows");
    if (table->rows[page.first].pc_low != 0) FAIL("a page without a first row");
  }
  for (const cs_unwind_row& row : table->rows)
    if (row.rule >= table->rules.size()) FAIL("a row without a rule");
}

}  // namespace

TEST_CASE("no changed byte of the frame table breaks the compiler", "[unit]") {
  const auto good = test::file_bytes(CALLSCOPE_UNWIND_SMALL);
  const auto image = ElfImage::parse(good);
  REQUIRE(image);
  for (const char* const name : {".eh_frame", ".eh_frame_hdr"}) {
    const ElfSection* const section = image->section(name);
    REQUIRE(section != nullptr);
    for (std::uint64_t pos = section->file_off; pos < section->file_off + section->size; ++pos) {
      for (const int flip : {0x01, 0x08, 0x80, 0xff}) {
        auto bytes = good;
        bytes[pos] = static_cast<std::uint8_t>(bytes[pos] ^ flip);
        compile_copy(bytes);
      }
    }
  }
}

TEST_CASE("no changed byte of the headers and no cut breaks the compiler", "[unit]") {
  const auto good = test::file_bytes(CALLSCOPE_UNWIND_SMALL);
  std::mt19937_64 random(1);
  for (int round = 0; round < 4000; ++round) {
    auto bytes = good;
    for (int flips = 0; flips < 4; ++flips)
      bytes[random() % std::min<std::size_t>(bytes.size(), flips < 2 ? 1024 : bytes.size())] ^=
          static_cast<std::uint8_t>(random());
    compile_copy(bytes);
  }
  for (std::size_t size = 0; size < good.size(); ++size) compile_copy(ByteSpan(good).first(size));
}

TEST_CASE("segments that overlap or exceed the file are refused", "[unit]") {
  auto bytes = test::file_bytes(CALLSCOPE_UNWIND_SMALL);
  auto image = ElfImage::parse(bytes);
  REQUIRE(image);
  REQUIRE(executable_ranges(*image));
  // Every loaded segment becomes executable and shows the whole file.
  Elf64_Ehdr head;
  std::memcpy(&head, bytes.data(), sizeof head);
  for (std::size_t i = 0; i < head.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + head.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type != PT_LOAD) continue;
    segment.p_flags |= PF_X;
    segment.p_offset = 0;
    segment.p_filesz = bytes.size();
    segment.p_vaddr = i << 30;
    std::memcpy(bytes.data() + head.e_phoff + i * sizeof segment, &segment, sizeof segment);
  }
  image = ElfImage::parse(bytes);
  REQUIRE(image);
  const auto compiled = compile_unwind_table(*image);
  REQUIRE_FALSE(compiled);
  CHECK(compiled.error().code == ErrorCode::kCorrupt);
}
