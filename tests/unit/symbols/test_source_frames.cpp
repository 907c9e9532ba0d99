// SPDX-License-Identifier: Apache-2.0
#include "symbols/source_frames.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <ranges>

#include "symbols/debug_info.hpp"
#include "symbols/module_symbols.hpp"
#include "sys/clock.hpp"
#include "tests/unit/symbols/line_oracle.hpp"
#include "tests/unit/symbols/sample_file.hpp"

using namespace callscope;
using namespace callscope::test;

namespace {

constexpr std::uint64_t kNoDeadline = ~std::uint64_t{0};
const std::string kSampleCpp = CALLSCOPE_INLINE_SAMPLE_CPP;

using Found = std::map<std::uint64_t, SourceFrames>;

Found frames_in(const DwarfFile& dwarf, const std::vector<std::uint64_t>& addrs) {
  Found found;
  CHECK(find_source_frames(dwarf, addrs, kNoDeadline,
                           [&](std::uint64_t addr, const SourceFrames& frames) {
                             CHECK(found.emplace(addr, frames).second);
                           }));
  return found;
}

ModuleImage opened(const std::string& path) {
  Result<ModuleImage> module = ModuleImage::open(path);
  REQUIRE(module);
  return std::move(*module);
}

Found frames_of_file(const std::string& path, const std::vector<std::uint64_t>& addrs) {
  const ModuleImage module = opened(path);
  const auto dwarf = DwarfFile::open(module.image());
  REQUIRE(dwarf);
  return frames_in(*dwarf, addrs);
}

// The same ones in every run, ascending.
std::vector<std::uint64_t> random_code_addrs(const ElfImage& image, std::size_t count) {
  const ElfSection* const text = image.section(".text");
  REQUIRE(text != nullptr);
  std::uint64_t state = 2024;
  std::vector<std::uint64_t> addrs;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    addrs.push_back(text->vaddr + (state >> 20) % text->size);
  }
  std::ranges::sort(addrs);
  const auto doubles = std::ranges::unique(addrs);
  addrs.erase(doubles.begin(), doubles.end());
  return addrs;
}

std::vector<std::uint64_t> every_code_addr(const ElfImage& image) {
  std::vector<std::uint64_t> addrs;
  const ElfSection* const text = image.section(".text");
  REQUIRE(text != nullptr);
  for (std::uint64_t addr = text->vaddr; addr < text->vaddr + text->size; ++addr)
    addrs.push_back(addr);
  return addrs;
}

bool is_symbol_at(const SymbolTable& symbols, std::uint64_t addr, const std::string& name) {
  const Symbol* const symbol = symbols.find(addr);
  return symbol != nullptr && std::ranges::find(symbols.at(symbol->addr), name, &Symbol::name) !=
                                  symbols.at(symbol->addr).end();
}

bool equal(const SourceFrames& a, const SourceFrames& b) {
  return std::ranges::equal(a, b, [](const SourceFrame& x, const SourceFrame& y) {
    return x.function == y.function && x.file == y.file && x.line == y.line;
  });
}

bool equal(const Found& a, const Found& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first && equal(x.second, y.second);
  });
}

}  // namespace

TEST_CASE("inlined functions, files and lines of 10,000 addresses are those of addr2line",
          "[unit][slow]") {
  const std::string path = CALLSCOPE_BIG_DWARF;
  const ModuleImage module = opened(path);
  const auto addrs = random_code_addrs(module.image(), 10'000);
  const Found found = frames_of_file(path, addrs);
  const auto expected = addr2line(path, addrs);
  const SymbolTable symbols = ModuleSymbols::load(module, path, {}).table();
  std::map<std::string, std::vector<std::uint64_t>> differ;
  std::size_t inlined = 0;
  std::vector<std::uint64_t> disputed;
  std::size_t looked_at = 0;
  for (const std::uint64_t addr : addrs) {
    // Between functions lies what never runs; each tool has a guess of its own there.
    if (symbols.find(addr) == nullptr) continue;
    ++looked_at;
    const auto& want = expected.at(addr);
    const auto at = found.find(addr);
    if (at == found.end()) {  // assembler, the C start-up files: nothing is known
      if (want.size() != 1 || want[0].line != 0) disputed.push_back(addr);
      continue;
    }
    const SourceFrames& have = at->second;
    if (have.size() != want.size()) {
      differ["depth"].push_back(addr);
      continue;
    }
    inlined += have.size() - 1;
    for (std::size_t i = 0; i < have.size(); ++i) {
      if (have[i].line != want[i].line) differ["line"].push_back(addr);
      if (i == 0 && file_name(have[i].file) != file_name(want[i].file)) disputed.push_back(addr);
      // addr2line prefers names of symbols to those of DWARF for the first and the last function.
      const bool may_be_symbol = i == 0 || i + 1 == have.size();
      if (!same_function(have[i].function, want[i].function) &&
          !(may_be_symbol && is_symbol_at(symbols, addr, want[i].function)))
        differ["name"].push_back(addr);
    }
  }
  for (const auto& [what, where] : differ) {
    INFO(what << " differs at " << where.size() << " addresses, first " << std::hex << where[0]);
    CHECK(where.empty());
  }
  CHECK(looked_at > 9'000);
  CHECK(inlined > addrs.size() / 2);
  // binutils 2.40 takes some files of DWARF 5 for the unit's own: elfutils has the casting vote.
  CHECK(disputed.size() < addrs.size() / 50);
  for (const std::uint64_t addr : disputed) {
    INFO(std::hex << addr);
    const auto at = found.find(addr);
    const SourceFrames innermost =
        at == found.end() ? SourceFrames{{}} : SourceFrames{at->second.front()};
    CHECK(places_of(innermost).front() == eu_places(path, addr).front());
  }
}

TEST_CASE("a function inlined into an inlined one has its call on the way", "[unit]") {
  const ModuleImage module = opened(kSampleCpp);
  const Found found = frames_of_file(kSampleCpp, every_code_addr(module.image()));
  const std::string hidden = "inline_sample::(anonymous namespace)::";
  const std::vector<std::string> chain = {"_ZN13inline_sample7clampedEi", hidden + "hidden_step",
                                          hidden + "Walker::step"};
  const auto deep = std::ranges::find_if(found, [&](const auto& entry) {
    return entry.second.size() > chain.size() &&
           std::ranges::equal(chain, entry.second | std::views::take(chain.size()), {}, {},
                              &SourceFrame::function);
  });
  REQUIRE(deep != found.end());
  const SourceFrames& frames = deep->second;
  CHECK(frames.back().function == "_ZN13inline_sample6walkedERKSt6vectorIiSaIiEE");
  CHECK(file_name(frames[0].file) == "inline_sample.hpp");
  CHECK(file_name(frames[1].file) == "inline_sample.cpp");
  CHECK(std::filesystem::path(frames[1].file).is_absolute());
  for (const SourceFrame& frame : frames) CHECK(frame.line > 0);
}

TEST_CASE("DWARF 4, packed and separate debug files tell the same", "[unit]") {
  const TempDir dir;
  const ModuleImage module = opened(kSampleCpp);
  const auto addrs = every_code_addr(module.image());
  const Found expected = frames_of_file(kSampleCpp, addrs);
  CHECK(expected.size() > addrs.size() / 2);
  run_tool("objcopy --only-keep-debug " + kSampleCpp + " " + dir.file("sample.debug"));
  run_tool("objcopy --compress-debug-sections " + dir.file("sample.debug") + " " +
           dir.file("packed.debug"));
  CHECK(equal(frames_of_file(dir.file("sample.debug"), addrs), expected));
  CHECK(equal(frames_of_file(dir.file("packed.debug"), addrs), expected));
}

TEST_CASE("debug information is found in a separate file by build-id, shared out by dwz",
          "[unit]") {
  const TempDir dir;
  const ModuleImage whole = opened(kSampleCpp);
  const auto addrs = every_code_addr(whole.image());
  const Found expected = frames_of_file(kSampleCpp, addrs);
  run_tool("cp " + kSampleCpp + " " + dir.file("a"));
  run_tool("cp " + kSampleCpp + "_dwarf4 " + dir.file("b"));
  run_tool("cd " + dir.path() + " && dwz -m shared.debug -M /usr/lib/debug/.dwz/shared.debug a b");
  const std::string id = whole.build_id();
  const std::string folder = dir.file("usr/lib/debug/.build-id/" + id.substr(0, 2));
  std::filesystem::create_directories(folder);
  run_tool("objcopy --only-keep-debug " + dir.file("a") + " " + folder + "/" + id.substr(2) +
           ".debug");
  run_tool("objcopy --strip-debug " + dir.file("a") + " " + dir.file("stripped"));
  const ModuleImage stripped = opened(dir.file("stripped"));
  const auto root = TargetRoot::at(dir.path());
  REQUIRE(root);
  const TargetRoot* const roots[] = {&*root};
  // The shared file is not there: said, not ignored.
  const auto without = DebugInfo::open(stripped, "/stripped", roots);
  REQUIRE_FALSE(without);
  CHECK(without.error().message().find("install the debug package completely") !=
        std::string::npos);
  std::filesystem::create_directories(dir.file("usr/lib/debug/.dwz"));
  run_tool("cp " + dir.file("shared.debug") + " " + dir.file("usr/lib/debug/.dwz"));
  const auto info = DebugInfo::open(stripped, "/stripped", roots);
  REQUIRE(info);
  REQUIRE(*info);
  CHECK((*info)->separate() != nullptr);
  CHECK(equal(frames_in((*info)->dwarf(), addrs), expected));
}

TEST_CASE("a module without debug information anywhere is no failure", "[unit]") {
  const TempDir dir;
  run_tool("objcopy --strip-debug " + kSampleCpp + " " + dir.file("stripped"));
  const ModuleImage stripped = opened(dir.file("stripped"));
  const auto info = DebugInfo::open(stripped, "/stripped", {});
  REQUIRE(info);
  CHECK_FALSE(*info);
}

TEST_CASE("reading source lines ends at its deadline and says so", "[unit]") {
  const ModuleImage module = opened(CALLSCOPE_BIG_DWARF);
  const auto dwarf = DwarfFile::open(module.image());
  REQUIRE(dwarf);
  const auto addrs = random_code_addrs(module.image(), 1000);
  CHECK_FALSE(find_source_frames(*dwarf, addrs, monotonic_ns(), [](auto, const auto&) {}));
}

TEST_CASE("damaged line tables and entries are never fatal", "[unit]") {
  const auto file = MappedFile::open(kSampleCpp);
  REQUIRE(file);
  const std::vector<std::uint8_t> good(file->bytes().begin(), file->bytes().end());
  const auto intact = ElfImage::parse(good);
  REQUIRE(intact);
  const auto addrs = random_code_addrs(*intact, 300);
  std::uint64_t state = 11;
  const auto random = [&] {
    return (state = state * 6364136223846793005U + 1442695040888963407U) >> 33;
  };
  std::size_t answers = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::uint8_t> bytes = good;
    for (const char* const name : {".debug_info", ".debug_abbrev", ".debug_line", ".debug_line_str",
                                   ".debug_rnglists", ".debug_str"}) {
      const ElfSection* const section = intact->section(name);
      if (section == nullptr || section->size == 0) continue;
      for (std::uint64_t hits = random() % 8; hits > 0; --hits)
        bytes[section->file_off + random() % section->size] = static_cast<std::uint8_t>(random());
    }
    const auto image = ElfImage::parse(bytes);
    REQUIRE(image);
    const auto dwarf = DwarfFile::open(*image);
    if (!dwarf) continue;
    std::ignore = find_source_frames(*dwarf, addrs, monotonic_ns() + 200'000'000,
                                     [&](auto, const auto&) { ++answers; });
  }
  CHECK(answers > 1000);
}
