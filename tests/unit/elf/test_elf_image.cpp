// SPDX-License-Identifier: Apache-2.0
#include <elf.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "elf/elf_image.hpp"
#include "sys/mapped_file.hpp"
#include "tests/unit/elf/oracle.hpp"

using namespace callscope;
using callscope::test::libc_path;
using callscope::test::lines_of;
using callscope::test::run_tool;
using callscope::test::words_of;

namespace {

std::vector<std::string> real_binaries() {
  return {CALLSCOPE_ELF_SAMPLE, libc_path(),
          std::filesystem::read_symlink("/proc/self/exe").string(),
          run_tool("printf %s $(command -v sh)"), run_tool("printf %s $(command -v readelf)")};
}

std::uint64_t hex(const std::string& text) { return std::stoull(text, nullptr, 16); }

}  // namespace

TEST_CASE("segments and entry agree with readelf", "[unit]") {
  for (const std::string& path : real_binaries()) {
    INFO(path);
    const auto file = MappedFile::open(path);
    REQUIRE(file);
    const auto image = ElfImage::parse(file->bytes());
    REQUIRE(image);
    std::size_t load = 0;
    std::vector<ElfSegment> loads;
    for (const ElfSegment& segment : image->segments())
      if (segment.type == PT_LOAD) loads.push_back(segment);
    for (const std::string& line : lines_of(run_tool("readelf -lW " + path))) {
      const auto words = words_of(line);
      if (line.starts_with("Entry point")) CHECK(image->entry() == hex(words.back()));
      if (words.empty() || words[0] != "LOAD") continue;
      REQUIRE(load < loads.size());
      CHECK(loads[load].file_off == hex(words[1]));
      CHECK(loads[load].vaddr == hex(words[2]));
      CHECK(loads[load].file_size == hex(words[4]));
      CHECK(loads[load].mem_size == hex(words[5]));
      CHECK(((loads[load].flags & PF_X) != 0) == (line.find(" E ") != std::string::npos));
      ++load;
    }
    CHECK(load == loads.size());
  }
}

TEST_CASE("sections agree with readelf", "[unit]") {
  for (const std::string& path : real_binaries()) {
    INFO(path);
    const auto file = MappedFile::open(path);
    REQUIRE(file);
    const auto image = ElfImage::parse(file->bytes());
    REQUIRE(image);
    std::size_t seen = 0;
    for (std::string line : lines_of(run_tool("readelf -SW " + path))) {
      const std::size_t bracket = line.find(']');
      if (!line.starts_with("  [") || line.starts_with("  [Nr") || bracket == std::string::npos)
        continue;
      const auto words = words_of(line.substr(bracket + 1));
      if (words.empty() || words[0] == "NULL") continue;
      ++seen;
      const ElfSection* const section = image->section(words[0]);
      REQUIRE(section != nullptr);
      if (image->sections()[seen].name != section->name) continue;
      CHECK(section->vaddr == hex(words[2]));
      CHECK(section->file_off == hex(words[3]));
      CHECK(section->size == hex(words[4]));
      if (section->type != SHT_NOBITS)
        CHECK(image->section_bytes(*section).size() == section->size);
    }
    CHECK(seen + 1 == image->sections().size());
  }
}

TEST_CASE("build-id, interpreter and needed libraries agree with readelf", "[unit]") {
  for (const std::string& path : real_binaries()) {
    INFO(path);
    const auto file = MappedFile::open(path);
    REQUIRE(file);
    const auto image = ElfImage::parse(file->bytes());
    REQUIRE(image);
    std::string build_id;
    std::string interpreter;
    std::vector<std::string> needed;
    for (const std::string& line : lines_of(run_tool("readelf -nldW " + path))) {
      const auto words = words_of(line);
      if (line.find("Build ID:") != std::string::npos) build_id = words.back();
      if (const auto at = line.find("interpreter: "); at != std::string::npos)
        interpreter = line.substr(at + 13, line.find(']') - at - 13);
      if (line.find("(NEEDED)") != std::string::npos)
        needed.push_back(words.back().substr(1, words.back().size() - 2));
    }
    CHECK(image->build_id() == build_id);
    CHECK(image->interpreter() == interpreter);
    const auto names = image->needed();
    CHECK(std::vector<std::string>(names.begin(), names.end()) == needed);
  }
}

TEST_CASE("every symbol agrees with readelf", "[unit]") {
  using Row = std::tuple<std::uint64_t, std::uint64_t, std::string>;
  for (const std::string& path : real_binaries()) {
    INFO(path);
    const auto file = MappedFile::open(path);
    REQUIRE(file);
    const auto image = ElfImage::parse(file->bytes());
    REQUIRE(image);
    std::multiset<Row> ours;
    image->for_each_symbol([&](const ElfSymbol& symbol) {
      if (symbol.type != STT_SECTION)
        ours.emplace(symbol.value, symbol.size, std::string(symbol.name));
    });
    std::multiset<Row> oracle;
    for (const std::string& line : lines_of(run_tool("readelf -sW " + path))) {
      const auto words = words_of(line);
      if (words.size() < 7 || words[0].back() != ':' || words[3] == "SECTION") continue;
      if (words[1].find_first_not_of("0123456789abcdef") != std::string::npos) continue;
      // Versions ("@GLIBC_2.2.5 (3)") of .dynsym are kept in another section.
      std::string name = words.size() > 7 ? words[7] : "";
      oracle.emplace(hex(words[1]), std::stoull(words[2], nullptr, 0), name);
    }
    CHECK(ours.size() == oracle.size());
    const auto base = [](const std::multiset<Row>& rows) {
      std::multiset<Row> out;
      for (const auto& [value, size, name] : rows)
        out.emplace(value, size, name.substr(0, name.find('@')));
      return out;
    };
    CHECK((base(ours) == base(oracle)));
  }
}

TEST_CASE("addresses convert to file offsets and back", "[unit]") {
  for (const std::string& path : real_binaries()) {
    INFO(path);
    const auto file = MappedFile::open(path);
    REQUIRE(file);
    const auto image = ElfImage::parse(file->bytes());
    REQUIRE(image);
    const ElfSection* const text = image->section(".text");
    REQUIRE(text != nullptr);
    for (const std::uint64_t at : {std::uint64_t{0}, text->size / 2, text->size - 1}) {
      CHECK(image->vaddr_to_file_off(text->vaddr + at) == text->file_off + at);
      CHECK(image->file_off_to_vaddr(text->file_off + at) == text->vaddr + at);
      CHECK(image->is_executable_addr(text->vaddr + at));
    }
    if (const ElfSection* const bss = image->section(".bss"); bss != nullptr && bss->size > 4096) {
      CHECK_FALSE(image->vaddr_to_file_off(bss->vaddr + bss->size - 1));
      CHECK_FALSE(image->is_executable_addr(bss->vaddr));
    }
    CHECK_FALSE(image->vaddr_to_file_off(~std::uint64_t{0}));
    CHECK_FALSE(image->file_off_to_vaddr(~std::uint64_t{0}));
    CHECK_FALSE(image->is_executable_addr(~std::uint64_t{0}));
  }
}
