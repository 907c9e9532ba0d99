// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstring>
#include <map>

#include "probes/usdt.hpp"
#include "symbols/module_image.hpp"
#include "tests/unit/elf/oracle.hpp"

using callscope::ByteSpan;
using callscope::ElfImage;
using callscope::ElfSection;
using callscope::ModuleImage;
using callscope::usdt_markers;
using callscope::UsdtMarker;
using callscope::UsdtPattern;
using callscope::test::lines_of;
using callscope::test::run_tool;

namespace {

// "provider:name addr semaphore arguments" of each note, as readelf has it.
std::multimap<std::string, int> as_readelf_says(const std::string& path) {
  std::multimap<std::string, int> notes;
  std::string provider;
  std::string name;
  std::string place;
  const auto behind = [](const std::string& line, const std::string& word) {
    const std::size_t at = line.find(word);
    return at == std::string::npos ? std::string() : line.substr(at + word.size());
  };
  for (const std::string& line : lines_of(run_tool("readelf -nW " + path))) {
    if (const std::string text = behind(line, "Provider: "); !text.empty()) provider = text;
    if (const std::string text = behind(line, "    Name: "); !text.empty()) name = text;
    if (const std::string text = behind(line, "Location: "); !text.empty())
      place = text.substr(0, text.find(',')) + " " +
              text.substr(text.find("Semaphore: ") + std::strlen("Semaphore: "));
    if (line.find("Arguments:") == std::string::npos) continue;
    notes.emplace(provider + ":" + name + " " + place + " " + behind(line, "Arguments: "), 0);
  }
  return notes;
}

std::string hex(std::uint64_t value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "0x%016lx", value);
  return text.data();
}

std::multimap<std::string, int> as_we_say(const ElfImage& image) {
  std::multimap<std::string, int> notes;
  for (const UsdtMarker& marker : usdt_markers(image)) {
    CHECK(marker.refusal.empty());
    CHECK(image.bytes()[marker.file_off] == 0x90);
    std::uint64_t semaphore = 0;
    for (const auto& segment : image.segments())  // file_off_to_vaddr prefers executable ones
      if (marker.semaphore_off != 0 && segment.type == 1 &&
          marker.semaphore_off - segment.file_off < segment.file_size && (segment.flags & 2) != 0)
        semaphore = marker.semaphore_off - segment.file_off + segment.vaddr;
    notes.emplace(marker.provider + ":" + marker.name + " " + hex(marker.addr) + " " +
                      hex(semaphore) + " " + marker.arguments,
                  0);
  }
  return notes;
}

std::vector<std::uint8_t> bytes_of(const ElfImage& image) {
  return {image.bytes().begin(), image.bytes().end()};
}

}  // namespace

TEST_CASE("markers are those that readelf finds, in programs, libraries and stripped files",
          "[unit]") {
  const std::string path = GENERATE(USDT_SAMPLE, USDT_SAMPLE "_nopie", USDT_SAMPLE "_stripped",
                                    "/usr/lib/x86_64-linux-gnu/libstdc++.so.6");
  INFO(path);
  const auto image = ModuleImage::open(path);
  REQUIRE(image);
  const auto ours = as_we_say(image->image());
  CHECK(ours.size() >= 3);
  CHECK(ours == as_readelf_says(path));
}

TEST_CASE("a file without markers has none", "[unit]") {
  const auto image = ModuleImage::open("/bin/true");
  REQUIRE(image);
  CHECK(usdt_markers(image->image()).empty());
}

TEST_CASE("every shorter section of notes gives the first markers of the whole one", "[unit]") {
  const auto image = ModuleImage::open(USDT_SAMPLE);
  REQUIRE(image);
  const ElfSection* const section = image->image().section(".note.stapsdt");
  REQUIRE(section != nullptr);
  const std::size_t whole = usdt_markers(image->image()).size();
  std::vector<std::uint8_t> bytes = bytes_of(image->image());
  // The size of the section is 32 bytes into its header (Elf64_Shdr).
  std::size_t size_pos = 0;
  for (std::size_t pos = 0; pos + 64 <= bytes.size(); ++pos) {
    std::uint64_t off = 0;
    std::uint64_t size = 0;
    std::memcpy(&off, &bytes[pos + 24], sizeof(off));
    std::memcpy(&size, &bytes[pos + 32], sizeof(size));
    if (off == section->file_off && size == section->size) size_pos = pos + 32;
  }
  REQUIRE(size_pos != 0);
  std::size_t before = 0;
  for (std::uint64_t size = 0; size <= section->size; ++size) {
    std::memcpy(&bytes[size_pos], &size, sizeof(size));
    const auto cut = ElfImage::parse(bytes);
    REQUIRE(cut);
    const std::size_t now = usdt_markers(*cut).size();
    CHECK(now >= before);
    CHECK(now <= whole);
    before = now;
  }
  CHECK(before == whole);
}

TEST_CASE("damaged notes give no marker off the executable code and no crash", "[unit]") {
  const auto image = ModuleImage::open(USDT_SAMPLE);
  REQUIRE(image);
  const ElfSection* const section = image->image().section(".note.stapsdt");
  REQUIRE(section != nullptr);
  const std::vector<std::uint8_t> good = bytes_of(image->image());
  for (const int value : {0x00, 0x01, 0x7f, 0xff}) {
    for (std::uint64_t i = 0; i < section->size; ++i) {
      std::vector<std::uint8_t> bytes = good;
      bytes[section->file_off + i] = static_cast<std::uint8_t>(value);
      const auto damaged = ElfImage::parse(bytes);
      REQUIRE(damaged);
      for (const UsdtMarker& marker : usdt_markers(*damaged)) {
        CHECK(damaged->is_executable_addr(marker.addr));
        CHECK(marker.file_off < bytes.size());
        // A nop of one or of several bytes.
        const std::uint8_t first = bytes[marker.file_off];
        if (marker.refusal.empty()) CHECK((first == 0x90 || first == 0x66 || first == 0x0f));
      }
    }
  }
}

TEST_CASE("a marker that points at another instruction is refused", "[unit]") {
  const auto image = ModuleImage::open(USDT_SAMPLE);
  REQUIRE(image);
  std::vector<std::uint8_t> bytes = bytes_of(image->image());
  const std::uint64_t file_off = usdt_markers(image->image()).front().file_off;
  bytes[file_off] = 0x55;  // push %rbp
  const auto changed = ElfImage::parse(bytes);
  REQUIRE(changed);
  CHECK(usdt_markers(*changed).front().refusal == "its note points at no nop");
}

TEST_CASE("a file that prelink moved has its markers where its code is now", "[unit]") {
  const auto image = ModuleImage::open(USDT_SAMPLE);
  REQUIRE(image);
  const std::vector<UsdtMarker> before = usdt_markers(image->image());
  // As if the notes had been written when all addresses were 0x1000 lower.
  std::vector<std::uint8_t> bytes = bytes_of(image->image());
  const ElfSection* const section = image->image().section(".note.stapsdt");
  REQUIRE(section != nullptr);
  std::uint64_t pos = section->file_off;
  while (pos < section->file_off + section->size) {
    std::uint32_t description = 0;
    std::memcpy(&description, &bytes[pos + 4], sizeof(description));
    for (const std::uint64_t word : {0, 8, 16}) {
      std::uint64_t addr = 0;
      std::memcpy(&addr, &bytes[pos + 20 + word], sizeof(addr));
      addr -= 0x1000;
      std::memcpy(&bytes[pos + 20 + word], &addr, sizeof(addr));
    }
    pos += 20 + (description + 3) / 4 * 4;
  }
  const auto moved = ElfImage::parse(bytes);
  REQUIRE(moved);
  const std::vector<UsdtMarker> after = usdt_markers(*moved);
  REQUIRE(after.size() == before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    CHECK(after[i].addr == before[i].addr);
    CHECK(after[i].semaphore_off == before[i].semaphore_off);
  }
}

TEST_CASE("patterns for markers are globs on provider and name", "[unit]") {
  const UsdtMarker marker{"libstdcxx", "throw", "", 0, 0, 0, ""};
  CHECK(UsdtPattern::parse("usdt:libstdcxx:throw")->matches(marker));
  CHECK(UsdtPattern::parse("usdt:*:t*")->matches(marker));
  CHECK_FALSE(UsdtPattern::parse("usdt:libstdcxx:catch")->matches(marker));
  CHECK_FALSE(UsdtPattern::parse("usdt:lib:throw")->matches(marker));
  for (const char* const bad : {"usdt:", "usdt:a", "usdt:a:", "usdt::b", "a:b", ""})
    CHECK_FALSE(UsdtPattern::parse(bad));
}
