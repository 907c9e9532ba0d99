// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>

#include "symbols/module_symbols.hpp"
#include "symbols/xz_decode.hpp"
#include "tests/unit/symbols/sample_file.hpp"

using namespace callscope;
using namespace callscope::test;
namespace fs = std::filesystem;

namespace {

// A fake root of a target: /bin/lib.so is the sample, stripped of its .symtab.
class StrippedRoot {
 public:
  StrippedRoot() {
    fs::create_directories(dir.file("bin/.debug"));
    fs::create_directories(dir.file("usr/lib/debug/bin"));
    run_tool("objcopy --strip-all " + sample + " " + lib());
    run_tool("objcopy --only-keep-debug " + sample + " " + debug());
  }
  [[nodiscard]] std::string lib() const { return dir.file("bin/lib.so"); }
  [[nodiscard]] std::string debug() const { return dir.file("lib.debug"); }
  [[nodiscard]] ModuleSymbols load() const {
    const auto module = ModuleImage::open(lib());
    const auto root = TargetRoot::at(dir.path());
    REQUIRE(module);
    REQUIRE(root);
    const TargetRoot* const roots[] = {&*root};
    return ModuleSymbols::load(*module, "/bin/lib.so", roots);
  }

  TempDir dir;
  const std::string sample = CALLSCOPE_SYMBOL_SAMPLE;
};

// sample_hidden is static: no dynamic symbol names it.
bool knows_hidden(const ModuleSymbols& symbols) {
  const auto oracle = code_symbols(CALLSCOPE_SYMBOL_SAMPLE);
  const auto hidden = std::ranges::find(oracle, "sample_hidden", &OracleSymbol::name);
  REQUIRE(hidden != oracle.end());
  const Symbol* const found = symbols.table().find(hidden->addr + hidden->size - 1);
  return found != nullptr && found->name == "sample_hidden";
}

}  // namespace

TEST_CASE("a binary with .symtab needs no other file", "[unit]") {
  const auto module = ModuleImage::open(CALLSCOPE_SYMBOL_SAMPLE);
  REQUIRE(module);
  const auto symbols = ModuleSymbols::load(*module, "/nowhere/lib.so", {});
  CHECK(symbols.source() == "symtab");
  CHECK(knows_hidden(symbols));
}

TEST_CASE("a stripped binary has the names of .dynsym only", "[unit]") {
  const StrippedRoot root;
  const auto symbols = root.load();
  CHECK(symbols.source() == "dynsym only (stripped)");
  CHECK_FALSE(knows_hidden(symbols));
  const auto oracle = code_symbols(root.lib());
  const auto plain = std::ranges::find(oracle, "sample_plain", &OracleSymbol::name);
  REQUIRE(plain != oracle.end());
  CHECK(symbols.table().find(plain->addr)->name == "sample_plain");
}

TEST_CASE("a debug file is found by its build-id", "[unit]") {
  const StrippedRoot root;
  const std::string id = ModuleImage::open(root.lib())->build_id();
  const std::string dir = root.dir.file("usr/lib/debug/.build-id/" + id.substr(0, 2));
  fs::create_directories(dir);
  fs::copy_file(root.debug(), dir + "/" + id.substr(2) + ".debug");
  const auto symbols = root.load();
  CHECK(symbols.source() ==
        "debug file /usr/lib/debug/.build-id/" + id.substr(0, 2) + "/" + id.substr(2) + ".debug");
  CHECK(knows_hidden(symbols));
}

TEST_CASE("a debug file of another build is refused and named", "[unit]") {
  const StrippedRoot root;
  const std::string id = ModuleImage::open(root.lib())->build_id();
  const std::string dir = root.dir.file("usr/lib/debug/.build-id/" + id.substr(0, 2));
  fs::create_directories(dir);
  fs::copy_file(libc_path(), dir + "/" + id.substr(2) + ".debug");
  const auto symbols = root.load();
  CHECK(symbols.source() == "dynsym only (stripped)");
  REQUIRE(symbols.problems().size() == 1);
  CHECK(symbols.problems()[0].find("its build-id is another one") != std::string::npos);
}

TEST_CASE("a debug file is found by .gnu_debuglink in the three places", "[unit]") {
  for (const std::string place :
       {"/bin/x.debug", "/bin/.debug/x.debug", "/usr/lib/debug/bin/x.debug"}) {
    const StrippedRoot root;
    fs::copy_file(root.debug(), root.dir.path() + place);
    run_tool("objcopy --add-gnu-debuglink=" + root.dir.path() + place + " " + root.lib());
    const auto symbols = root.load();
    CHECK(symbols.source() == "debug file " + place);
    CHECK(knows_hidden(symbols));
  }
}

TEST_CASE("a debuglink whose CRC does not match is refused", "[unit]") {
  const StrippedRoot root;
  const std::string debug = root.dir.file("bin/x.debug");
  fs::copy_file(root.debug(), debug);
  run_tool("objcopy --add-gnu-debuglink=" + debug + " " + root.lib());
  std::ofstream(debug, std::ios::app) << "changed";
  const auto symbols = root.load();
  CHECK(symbols.source() == "dynsym only (stripped)");
  REQUIRE(symbols.problems().size() == 1);
  CHECK(symbols.problems()[0] == "/bin/x.debug: its CRC is not that of .gnu_debuglink");
}

TEST_CASE("symbolic links stay inside the root of the target", "[unit]") {
  const StrippedRoot root;
  fs::create_symlink("/lib.debug", root.dir.file("bin/x.debug"));
  run_tool(
      "cd " + root.dir.path() +
      " && cp lib.debug x.debug && objcopy --add-gnu-debuglink=x.debug bin/lib.so && rm x.debug");
  CHECK(root.load().source() == "debug file /bin/x.debug");
}

TEST_CASE("a FIFO where a debug file should be does not block", "[unit]") {
  const StrippedRoot root;
  run_tool("cd " + root.dir.path() +
           " && cp lib.debug x.debug && objcopy --add-gnu-debuglink=x.debug bin/lib.so && rm "
           "x.debug && mkfifo bin/x.debug");
  CHECK(root.load().source() == "dynsym only (stripped)");
}

TEST_CASE("names come from .gnu_debugdata", "[unit]") {
  const StrippedRoot root;
  run_tool("cd " + root.dir.path() +
           " && objcopy --strip-debug lib.debug mini && xz -k mini && objcopy --add-section "
           ".gnu_debugdata=mini.xz bin/lib.so");
  const auto symbols = root.load();
  CHECK(symbols.source() == ".gnu_debugdata");
  CHECK(symbols.problems().empty());
  CHECK(knows_hidden(symbols));
}

TEST_CASE("damaged .gnu_debugdata falls back to .dynsym and says so", "[unit]") {
  const StrippedRoot root;
  run_tool("cd " + root.dir.path() +
           " && objcopy --strip-debug lib.debug mini && xz -k mini && truncate -s -40 mini.xz && "
           "objcopy --add-section .gnu_debugdata=mini.xz bin/lib.so");
  const auto symbols = root.load();
  CHECK(symbols.source() == "dynsym only (stripped)");
  REQUIRE(symbols.problems().size() == 1);
  CHECK(symbols.problems()[0] == ".gnu_debugdata: xz data is damaged");
}

TEST_CASE("xz data unpacks to what was packed, never to more than allowed", "[unit]") {
  const TempDir dir;
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919) + "\n";
  std::ofstream(dir.file("text")) << text;
  run_tool("xz -k " + dir.file("text"));
  const auto packed = MappedFile::open(dir.file("text.xz"));
  REQUIRE(packed);
  const auto whole = xz_decode(packed->bytes(), text.size() + 1);
  REQUIRE(whole);
  CHECK(std::string(whole->begin(), whole->end()) == text);
  CHECK_FALSE(xz_decode(packed->bytes(), text.size() / 2));
  for (std::size_t size = 0; size < packed->bytes().size(); size += packed->bytes().size() / 16)
    CHECK_FALSE(xz_decode(packed->bytes().first(size), text.size() + 1));
}
