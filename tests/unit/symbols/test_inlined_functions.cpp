// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>

#include "symbols/debug_file.hpp"
#include "symbols/inlined_functions.hpp"
#include "sys/clock.hpp"
#include "tests/unit/symbols/inline_oracle.hpp"

using namespace callscope;
using namespace callscope::test;

namespace {

bool all(std::string_view) { return true; }

InlinedFunctions inlined_in(const std::string& path, const NameFilter& wanted = all) {
  const auto module = ModuleImage::open(path);
  REQUIRE(module);
  const auto dwarf = DwarfFile::open(module->image());
  if (!dwarf) FAIL(path << ": " << dwarf.error().message());
  return find_inlined(*dwarf, wanted, {});
}

const InlinedFunction* find(const InlinedFunctions& inlined, const std::string& name) {
  const auto found = std::ranges::find(inlined.functions, name, &InlinedFunction::name);
  return found == inlined.functions.end() ? nullptr : &*found;
}

// As the oracle names them: by linker name or by the last part of the source name.
std::map<std::string, std::uint64_t> copies_by_name(const InlinedFunctions& inlined) {
  std::map<std::string, std::uint64_t> copies;
  for (const InlinedFunction& function : inlined.functions) {
    std::string name = function.linker_name;
    if (name.empty()) name = function.name.substr(function.name.rfind("::") + 1);
    if (name.starts_with(':')) name.erase(0, 1);
    copies[name] += function.copies;
  }
  return copies;
}

// One line a name, so that a difference can be read.
std::vector<std::string> lines(const std::map<std::string, std::uint64_t>& copies) {
  std::vector<std::string> out;
  for (const auto& [name, count] : copies) out.push_back(name + " " + std::to_string(count));
  return out;
}

std::uint64_t address_of(const std::string& path, const std::string& name) {
  for (const OracleSymbol& symbol : code_symbols(path))
    if (symbol.name == name) return symbol.addr;
  return 0;
}

const std::string kC = CALLSCOPE_INLINE_SAMPLE_C;
const std::string kCpp = CALLSCOPE_INLINE_SAMPLE_CPP;

}  // namespace

TEST_CASE("functions inlined at 0, 1 and 3 places are told apart", "[unit]") {
  const InlinedFunctions inlined = inlined_in(kC);
  CHECK(inlined.complete);
  CHECK(inlined.unread_units == 0);
  const InlinedFunction* const thrice = find(inlined, "inlined_thrice");
  REQUIRE(thrice != nullptr);
  CHECK(thrice->copies == 3);
  CHECK(thrice->code.empty());
  std::vector<std::string> callers = thrice->callers;
  std::ranges::sort(callers);
  CHECK(callers == std::vector<std::string>{"inline_caller_a", "inline_caller_b"});
  const InlinedFunction* const once = find(inlined, "inlined_once");
  REQUIRE(once != nullptr);
  CHECK(once->copies == 1);
  CHECK(once->callers == std::vector<std::string>{"inline_caller_a"});
  CHECK(find(inlined, "never_inlined") == nullptr);
}

TEST_CASE("a function with copies and code of its own has the address of both", "[unit]") {
  const InlinedFunctions inlined = inlined_in(kC);
  const InlinedFunction* const function = find(inlined, "inlined_with_code");
  REQUIRE(function != nullptr);
  CHECK(function->copies == 1);
  CHECK(function->code == std::vector<std::uint64_t>{address_of(kC, "inlined_with_code")});
}

TEST_CASE("copies agree with readelf, dead template code left out", "[unit]") {
  const std::string sample =
      GENERATE(as<std::string>(), CALLSCOPE_INLINE_SAMPLE_C, CALLSCOPE_INLINE_SAMPLE_CPP,
               CALLSCOPE_INLINE_SAMPLE_CPP "_dwarf4");
  INFO(sample);
  const auto expected = oracle_copies(sample);
  CHECK(expected.size() >= 3);
  const auto copies = lines(copies_by_name(inlined_in(sample)));
  std::vector<std::string> differ;
  std::ranges::set_symmetric_difference(copies, lines(expected), std::back_inserter(differ));
  CHECK(differ == std::vector<std::string>{});
}

TEST_CASE("C++ names have their namespaces, with and without a linker name", "[unit]") {
  const InlinedFunctions inlined = inlined_in(kCpp);
  const InlinedFunction* const clamped = find(inlined, "inline_sample::clamped");
  REQUIRE(clamped != nullptr);
  CHECK(clamped->linker_name == "_ZN13inline_sample7clampedEi");
  const std::string hidden = "inline_sample::(anonymous namespace)::";
  const InlinedFunction* const step = find(inlined, hidden + "hidden_step");
  REQUIRE(step != nullptr);
  CHECK(step->copies == 2);
  CHECK(step->callers == std::vector<std::string>{"_ZN13inline_sample6walkedERKSt6vectorIiSaIiEE"});
  const InlinedFunction* const method = find(inlined, hidden + "Walker::step");
  REQUIRE(method != nullptr);
  CHECK(method->copies == 2);
}

TEST_CASE("the filter is asked by linker name and by name in the source", "[unit]") {
  const auto only = [](std::string_view name) { return name == "_ZN13inline_sample7clampedEi"; };
  CHECK(inlined_in(kCpp, only).functions.size() == 1);
  const auto source = [](std::string_view name) {
    return name.ends_with("(anonymous namespace)::hidden_step");
  };
  CHECK(inlined_in(kCpp, source).functions.size() == 1);
}

TEST_CASE("a separate debug file tells the same as the file it was taken from", "[unit]") {
  const TempDir dir;
  const std::string debug = dir.file("sample.debug");
  const std::string packed = dir.file("packed.debug");
  run_tool("objcopy --only-keep-debug " + kCpp + " " + debug);
  run_tool("objcopy --compress-debug-sections " + debug + " " + packed);
  const auto expected = copies_by_name(inlined_in(kCpp));
  CHECK(copies_by_name(inlined_in(debug)) == expected);
  CHECK(copies_by_name(inlined_in(packed)) == expected);
}

TEST_CASE("a stripped file has no debug information", "[unit]") {
  const TempDir dir;
  run_tool("objcopy --strip-debug " + kC + " " + dir.file("stripped"));
  const auto module = ModuleImage::open(dir.file("stripped"));
  REQUIRE(module);
  CHECK_FALSE(has_dwarf(module->image()));
  const auto dwarf = DwarfFile::open(module->image());
  REQUIRE_FALSE(dwarf);
  CHECK(dwarf.error().code == ErrorCode::kNotFound);
}

TEST_CASE("debug information that dwz has shared out is read with the file that it needs",
          "[unit]") {
  const TempDir dir;
  run_tool("cp " + kCpp + " " + dir.file("a"));
  run_tool("cp " + kCpp + "_dwarf4 " + dir.file("b"));
  run_tool("cd " + dir.path() + " && dwz -m shared.debug -M /usr/lib/debug/.dwz/shared.debug a b");
  const auto module = ModuleImage::open(dir.file("a"));
  REQUIRE(module);
  const auto alone = DwarfFile::open(module->image());
  REQUIRE_FALSE(alone);
  CHECK(alone.error().code == ErrorCode::kNotFound);

  const auto root = TargetRoot::at(dir.path());
  REQUIRE(root);
  const TargetRoot* const roots[] = {&*root};
  CHECK_FALSE(find_shared_debug_file(*module, "/bin/a", roots));
  std::filesystem::create_directories(dir.file("usr/lib/debug/.dwz"));
  run_tool("cp " + dir.file("shared.debug") + " " + dir.file("usr/lib/debug/.dwz"));
  const auto shared = find_shared_debug_file(*module, "/bin/a", roots);
  REQUIRE(shared);
  const auto dwarf = DwarfFile::open(module->image(), shared->image.image().bytes());
  REQUIRE(dwarf);
  CHECK(copies_by_name(find_inlined(*dwarf, all, {})) == copies_by_name(inlined_in(kCpp)));
}

TEST_CASE("the search ends at its deadline and when it is asked to, and says so", "[unit]") {
  const auto module = ModuleImage::open(CALLSCOPE_BIG_DWARF);
  REQUIRE(module);
  const auto dwarf = DwarfFile::open(module->image());
  REQUIRE(dwarf);
  CHECK_FALSE(find_inlined(*dwarf, all, {.deadline_ns = monotonic_ns(), .stop = {}}).complete);
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(find_inlined(*dwarf, all, {.stop = stop.get_token()}).complete);
}

TEST_CASE("damaged debug information is never fatal", "[unit]") {
  const auto file = MappedFile::open(kC);
  REQUIRE(file);
  const std::vector<std::uint8_t> good(file->bytes().begin(), file->bytes().end());
  const auto intact = ElfImage::parse(good);
  REQUIRE(intact);
  std::uint64_t state = 7;
  const auto random = [&] {
    return (state = state * 6364136223846793005U + 1442695040888963407U) >> 33;
  };
  std::size_t read = 0;
  for (int round = 0; round < 600; ++round) {
    std::vector<std::uint8_t> bytes = good;
    for (const char* const name :
         {".debug_info", ".debug_abbrev", ".debug_str", ".debug_rnglists"}) {
      const ElfSection* const section = intact->section(name);
      if (section == nullptr || section->size == 0) continue;
      for (std::uint64_t hits = random() % 8; hits > 0; --hits)
        bytes[section->file_off + random() % section->size] = static_cast<std::uint8_t>(random());
    }
    const auto image = ElfImage::parse(bytes);
    REQUIRE(image);
    const auto dwarf = DwarfFile::open(*image);
    if (!dwarf) continue;
    const InlinedFunctions inlined =
        find_inlined(*dwarf, all, {.deadline_ns = monotonic_ns() + 200'000'000, .stop = {}});
    read += inlined.complete ? 1 : 0;
  }
  CHECK(read > 300);
}
