// SPDX-License-Identifier: Apache-2.0
// Damaged files: run with CALLSCOPE_SANITIZE=ON, where any read outside of the bytes ends the test.
#include <elf.h>

#include <catch2/catch.hpp>
#include <memory>

#include "elf/elf_image.hpp"
#include "elf/frame_table.hpp"
#include "elf/notes.hpp"
#include "sys/mapped_file.hpp"

using namespace callscope;

namespace {

std::vector<std::uint8_t> sample() {
  const auto file = MappedFile::open(CALLSCOPE_ELF_SAMPLE);
  REQUIRE(file);
  return {file->bytes().begin(), file->bytes().end()};
}

// Calls everything and follows every view to its end; the sum keeps the reads from going away.
std::uint64_t use_all(const ElfImage& image) {
  std::uint64_t sum = image.entry() + image.build_id().size() + image.interpreter().size();
  for (const std::string_view name : image.needed()) sum += name.size();
  for (const ElfSection& section : image.sections()) {
    sum += section.name.size();
    for (const std::uint8_t byte : image.section_bytes(section)) sum += byte;
  }
  for (const ElfSegment& segment : image.segments())
    for (const std::uint8_t byte : image.segment_bytes(segment)) sum += byte;
  if (const auto link = image.debuglink()) sum += link->name.size() + link->crc;
  const FrameTable frames(image);
  for (const FrameTable::Piece& piece : frames.pieces())
    sum += frames.cfa_at(piece.start).offset == 8 ? 1 : piece.end;
  image.for_each_symbol([&](const ElfSymbol& symbol) {
    for (const char c : symbol.name) sum += static_cast<unsigned char>(c);
    sum += image.vaddr_to_file_off(symbol.value).value_or(0);
    sum += image.file_off_to_vaddr(symbol.value).value_or(0);
    sum += image.is_executable_addr(symbol.value) ? 1 : 0;
    for (const std::uint8_t byte : image.bytes_at(symbol.value, symbol.size)) sum += byte;
  });
  return sum;
}

// A copy of exactly these bytes, so that the sanitizer sees where they end.
Result<std::uint64_t> parse_copy(ByteSpan bytes) {
  const auto copy = std::make_unique<std::uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  const auto image = ElfImage::parse({copy.get(), bytes.size()});
  if (!image) return std::unexpected(image.error());
  return use_all(*image);
}

ErrorCode error_of(const std::vector<std::uint8_t>& bytes) {
  const auto image = ElfImage::parse(bytes);
  REQUIRE_FALSE(image);
  CHECK_FALSE(image.error().what.empty());
  return image.error().code;
}

}  // namespace

TEST_CASE("every proper prefix of a good file is refused, the whole is read", "[unit]") {
  const auto good = sample();
  REQUIRE(parse_copy(good));
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto result = parse_copy(ByteSpan(good).first(size));
    // The section headers are the last thing in the file, so each cut hits them.
    if (result) FAIL("a prefix of " << size << " bytes was accepted");
    if (result.error().code != ErrorCode::kCorrupt) FAIL("wrong error at " << size << " bytes");
  }
}

TEST_CASE("no changed byte makes the reader leave the file", "[unit]") {
  const auto good = sample();
  std::size_t accepted = 0;
  for (std::size_t pos = 0; pos < good.size(); ++pos) {
    // Padding between sections is not looked at; it is most of the file.
    if (pos > 4096 && good[pos] == 0 && good[pos - 1] == 0 && pos + 1 < good.size() &&
        good[pos + 1] == 0)
      continue;
    for (const int flip : {0x01, 0x80, 0xff}) {
      auto bytes = good;
      bytes[pos] = static_cast<std::uint8_t>(bytes[pos] ^ flip);
      accepted += parse_copy(bytes) ? 1 : 0;
    }
  }
  CHECK(accepted > 0);
}

TEST_CASE("what is no supported ELF file is refused with its reason", "[unit]") {
  const auto good = sample();
  auto bytes = good;
  bytes[EI_CLASS] = ELFCLASS32;
  CHECK(error_of(bytes) == ErrorCode::kUnsupported);
  bytes = good;
  bytes[EI_DATA] = ELFDATA2MSB;
  CHECK(error_of(bytes) == ErrorCode::kUnsupported);
  bytes = good;
  bytes[EI_CLASS] = 9;
  CHECK(error_of(bytes) == ErrorCode::kCorrupt);
  bytes = good;
  bytes[18] = EM_386;  // e_machine
  CHECK(error_of(bytes) == ErrorCode::kUnsupported);
  bytes[18] = EM_AARCH64;
  CHECK(ElfImage::parse(bytes));
  const std::string script = "#!/bin/sh\necho this is a script and no program\n";
  CHECK(error_of({script.begin(), script.end()}) == ErrorCode::kCorrupt);
  CHECK(error_of({}) == ErrorCode::kCorrupt);
}

TEST_CASE("a file without section headers keeps its segments and build-id", "[unit]") {
  auto bytes = sample();
  const auto before = ElfImage::parse(bytes);
  REQUIRE(before);
  const std::string build_id = before->build_id();
  const std::size_t segments = before->segments().size();
  CHECK(build_id.size() == 40);
  std::fill_n(bytes.begin() + offsetof(Elf64_Ehdr, e_shoff), 8, std::uint8_t{0});
  const auto image = ElfImage::parse(bytes);
  REQUIRE(image);
  CHECK(image->sections().empty());
  CHECK(image->segments().size() == segments);
  CHECK(image->build_id() == build_id);
  CHECK(image->needed() == std::vector<std::string_view>{"libc.so.6"});
}

TEST_CASE("notes are walked with both alignments and stop where they stop making sense", "[unit]") {
  std::vector<std::uint8_t> bytes;
  const auto put = [&](std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  put(4);
  put(5);
  put(7);  // type
  for (const char c : {'G', 'N', 'U', '\0', 'a', 'b', 'c', 'd', 'e', '\0', '\0', '\0'})
    bytes.push_back(static_cast<std::uint8_t>(c));
  put(4);
  put(2);
  put(NT_GNU_BUILD_ID);
  for (const char c : {'G', 'N', 'U', '\0', '\xab', '\x01', '\0', '\0'})
    bytes.push_back(static_cast<std::uint8_t>(c));
  CHECK(find_build_id(bytes, 4) == "ab01");
  int seen = 0;
  for_each_note(bytes, 4, [&](const ElfNote& note) {
    CHECK(note.owner == "GNU");
    CHECK(note.payload.size() == (seen == 0 ? 5U : 2U));
    ++seen;
    return true;
  });
  CHECK(seen == 2);
  bytes[4] = 0xff;  // the first payload claims more than there is
  CHECK(find_build_id(bytes, 4).empty());
}
