// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <set>

#include "symbols/module_image.hpp"
#include "symbols/symbol_preference.hpp"
#include "symbols/symbol_table.hpp"
#include "tests/unit/symbols/sample_file.hpp"

using namespace callscope;
using namespace callscope::test;

namespace {

SymbolTable table_of(const ModuleImage& module) {
  const ElfImage* const image = &module.image();
  return SymbolTable::build(std::span(&image, 1));
}

// Brute force over readelf's list: the names at the innermost start of a sized symbol that covers
// addr; empty if none does.
std::set<std::string> covering_names(const std::vector<OracleSymbol>& symbols, std::uint64_t addr) {
  std::uint64_t start = 0;
  bool found = false;
  for (const OracleSymbol& s : symbols) {
    if (addr < s.addr || addr - s.addr >= s.size) continue;
    start = found ? std::max(start, s.addr) : s.addr;
    found = true;
  }
  std::set<std::string> names;
  for (const OracleSymbol& s : symbols)
    if (found && s.addr == start) names.insert(s.name);
  return names;
}

std::string name_at(const SymbolTable& table, std::uint64_t addr) {
  const Symbol* const symbol = table.find(addr);
  return symbol == nullptr ? std::string() : std::string(symbol->name);
}

const OracleSymbol& named(const std::vector<OracleSymbol>& symbols, const std::string& name) {
  const auto found = std::ranges::find(symbols, name, &OracleSymbol::name);
  REQUIRE(found != symbols.end());
  return *found;
}

}  // namespace

TEST_CASE("start, middle, last byte and end of every function agree with readelf", "[unit]") {
  for (const std::string& path :
       {std::string(CALLSCOPE_SYMBOL_SAMPLE), libc_path(),
        std::filesystem::canonical(run_tool("printf %s $(command -v bash)")).string()}) {
    INFO(path);
    const auto module = ModuleImage::open(path);
    REQUIRE(module);
    const SymbolTable table = table_of(*module);
    const std::vector<OracleSymbol> oracle = code_symbols(path);
    REQUIRE(oracle.size() > 5);
    std::size_t wrong = 0;
    std::size_t checked = 0;
    for (const OracleSymbol& s : oracle) {
      if (s.size == 0) continue;
      for (const std::uint64_t addr :
           {s.addr, s.addr + s.size / 2, s.addr + s.size - 1, s.addr + s.size}) {
        const std::set<std::string> expected = covering_names(oracle, addr);
        if (expected.empty()) continue;  // what symbols without size cover is tested below
        ++checked;
        if (expected.contains(name_at(table, addr))) continue;
        ++wrong;
        UNSCOPED_INFO(s.name << " +" << addr - s.addr << " gave " << name_at(table, addr));
      }
    }
    CHECK(checked >= 3);
    CHECK(wrong == 0);
  }
}

TEST_CASE("addr2line names the same functions of a binary with symbols", "[unit]") {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto module = ModuleImage::open(self);
  REQUIRE(module);
  const SymbolTable table = table_of(*module);
  TempDir dir;
  std::vector<std::uint64_t> addrs;
  {
    std::ofstream out(dir.file("addrs"));
    for (std::size_t i = 0; i < table.group_count(); i += 16) {
      const Symbol& symbol = table.group(i).front();
      if (!symbol.function() || symbol.size == 0) continue;
      addrs.push_back(symbol.addr + symbol.size / 2);
      out << std::hex << "0x" << addrs.back() << "\n";
    }
  }
  // Without DWARF addr2line takes names from the symbol table.
  run_tool("objcopy --strip-debug " + self + " " + dir.file("plain"));
  const auto lines =
      lines_of(run_tool("addr2line -f -e " + dir.file("plain") + " < " + dir.file("addrs")));
  REQUIRE(addrs.size() > 100);
  REQUIRE(lines.size() == addrs.size() * 2);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < addrs.size(); ++i) {
    const Symbol* const symbol = table.find(addrs[i]);
    REQUIRE(symbol != nullptr);
    const auto group = table.at(symbol->addr);
    if (std::ranges::find(group, lines[i * 2], &Symbol::name) != group.end()) continue;
    ++wrong;
    UNSCOPED_INFO(lines[i * 2] << " is " << symbol->name << " for us");
  }
  CHECK(wrong == 0);
}

TEST_CASE("labels, nested symbols and symbols without size cover what they should", "[unit]") {
  const auto module = ModuleImage::open(CALLSCOPE_SYMBOL_SAMPLE);
  REQUIRE(module);
  const SymbolTable table = table_of(*module);
  const auto oracle = code_symbols(CALLSCOPE_SYMBOL_SAMPLE);
  const std::uint64_t outer = named(oracle, "asm_outer").addr;
  CHECK(name_at(table, outer) == "asm_outer");
  CHECK(name_at(table, outer + 20) == "asm_outer");  // past a label without size
  CHECK(name_at(table, outer + 32) == "asm_nested");
  CHECK(name_at(table, outer + 39) == "asm_nested");
  CHECK(name_at(table, outer + 40) == "asm_outer");
  CHECK(name_at(table, outer + 63) == "asm_outer");
  CHECK(name_at(table, outer + 64) == "asm_no_size");
  CHECK(name_at(table, outer + 95) == "asm_no_size");  // up to the next symbol
  CHECK(name_at(table, outer + 96) == "asm_last");
  CHECK(name_at(table, outer + 127) == "asm_last");
  CHECK(name_at(table, 0).empty());
  CHECK(name_at(table, ~std::uint64_t{0}).empty());
  const ElfSection* const text = module->image().section(".text");
  REQUIRE(text != nullptr);
  CHECK(table.find(text->vaddr + text->size + 4096) == nullptr);
}

TEST_CASE("aliases form one group led by the plain global name", "[unit]") {
  const auto module = ModuleImage::open(CALLSCOPE_SYMBOL_SAMPLE);
  REQUIRE(module);
  const SymbolTable table = table_of(*module);
  const auto oracle = code_symbols(CALLSCOPE_SYMBOL_SAMPLE);
  const auto group = table.at(named(oracle, "sample_plain").addr);
  std::vector<std::string> names;
  for (const Symbol& symbol : group) names.emplace_back(symbol.name);
  CHECK(names == std::vector<std::string>{"sample_plain", "__sample_plain", "sample_weak_alias"});
  CHECK(group[0].function());
  CHECK(group[0].global());
  CHECK(table.at(group[0].addr + 1).empty());

  const auto hidden = table.at(named(oracle, "sample_hidden").addr);
  REQUIRE(hidden.size() == 1);
  CHECK_FALSE(hidden[0].global());
  const Symbol* const ifunc = table.find(named(oracle, "sample_ifunc").addr);
  REQUIRE(ifunc != nullptr);
  const auto resolver = table.at(ifunc->addr);
  CHECK(std::ranges::any_of(resolver,
                            [](const Symbol& s) { return s.ifunc() && s.name == "sample_ifunc"; }));

  const auto data = table.data_symbols();
  const auto variable = std::ranges::find(data, "sample_data", &Symbol::name);
  REQUIRE(variable != data.end());
  CHECK_FALSE(variable->code);
  CHECK_FALSE(variable->function());
  CHECK(variable->size == 4);
}

TEST_CASE("each code symbol of readelf is in exactly one group, each name once", "[unit]") {
  for (const std::string& path : {std::string(CALLSCOPE_SYMBOL_SAMPLE), libc_path()}) {
    const auto module = ModuleImage::open(path);
    REQUIRE(module);
    const SymbolTable table = table_of(*module);
    std::set<std::pair<std::uint64_t, std::string>> expected;
    for (const OracleSymbol& s : code_symbols(path)) expected.emplace(s.addr, s.name);
    std::set<std::pair<std::uint64_t, std::string>> ours;
    std::size_t count = 0;
    for (std::size_t i = 0; i < table.group_count(); ++i) {
      for (const Symbol& symbol : table.group(i)) {
        if (symbol.name.ends_with("@plt")) continue;
        ours.emplace(symbol.addr, std::string(symbol.name));
        ++count;
      }
    }
    CHECK(ours == expected);
    CHECK(count == ours.size());
  }
}

TEST_CASE("no damage to a binary or its debug file breaks the table", "[unit]") {
  const auto good = ModuleImage::open(CALLSCOPE_SYMBOL_SAMPLE);
  REQUIRE(good);
  const ByteSpan bytes = good->image().bytes();
  std::size_t built = 0;
  for (std::size_t pos = 0; pos < bytes.size(); ++pos) {
    if (bytes[pos] == 0 && pos % 8 != 0) continue;  // long runs of padding
    std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
    copy[pos] ^= 0xff;
    const auto damaged = ModuleImage::from_memory(std::move(copy));
    if (!damaged) continue;
    const ElfImage* const images[] = {&good->image(), &damaged->image()};
    const SymbolTable table = SymbolTable::build(images);
    built += table.group_count() > 0 ? 1 : 0;
    for (std::size_t i = 0; i < table.group_count(); ++i) {
      const Symbol& symbol = table.group(i).front();
      const Symbol* const found = table.find(symbol.addr);
      if (found != nullptr && found->addr > symbol.addr) FAIL("found past the address");
    }
  }
  CHECK(built > 1000);
}

TEST_CASE("sections of a debug file that overlap those of the binary do no harm", "[unit]") {
  const auto good = ModuleImage::open(CALLSCOPE_SYMBOL_SAMPLE);
  REQUIRE(good);
  const ElfImage& image = good->image();
  std::vector<std::uint8_t> copy(image.bytes().begin(), image.bytes().end());
  // Each executable section of the copy shrinks to one byte.
  const auto head = load<Elf64_Ehdr>(copy, 0);
  for (std::size_t i = 0; i < image.sections().size(); ++i) {
    if ((image.sections()[i].flags & SHF_EXECINSTR) == 0) continue;
    const std::size_t at = head->e_shoff + i * sizeof(Elf64_Shdr) + offsetof(Elf64_Shdr, sh_size);
    std::fill_n(copy.begin() + static_cast<std::ptrdiff_t>(at), 8, std::uint8_t{0});
    copy[at] = 1;
    const std::size_t addr = at - offsetof(Elf64_Shdr, sh_size) + offsetof(Elf64_Shdr, sh_addr);
    copy[addr] = static_cast<std::uint8_t>(copy[addr] + 1);
  }
  const auto odd = ModuleImage::from_memory(std::move(copy));
  REQUIRE(odd);
  const ElfImage* const images[] = {&image, &odd->image()};
  const SymbolTable table = SymbolTable::build(images);
  for (const OracleSymbol& symbol : code_symbols(CALLSCOPE_SYMBOL_SAMPLE))
    CHECK_FALSE(table.at(symbol.addr).empty());
}

TEST_CASE("PLT stubs are named as objdump names them and are no functions", "[unit]") {
  for (const std::string& path : {libc_path(), run_tool("printf %s $(command -v readelf)"),
                                  std::string(CALLSCOPE_SYMBOL_SAMPLE)}) {
    INFO(path);
    const auto module = ModuleImage::open(path);
    REQUIRE(module);
    const SymbolTable table = table_of(*module);
    std::size_t checked = 0;
    // "0000000000004030 <memcpy@plt>:"
    for (const std::string& line : lines_of(run_tool("objdump -d -w " + path))) {
      const std::size_t plt = line.find("@plt>:");
      const std::size_t open = line.find('<');
      if (plt == std::string::npos || open == std::string::npos) continue;
      std::string target = line.substr(open + 1, plt - open - 1);
      target = target.substr(0, target.find('@'));
      // Slots of relocations without a symbol (IFUNC) have an address for a name.
      if (target.starts_with('*')) continue;
      const Symbol* const stub = table.find(std::stoull(line.substr(0, open), nullptr, 16) + 5);
      REQUIRE(stub != nullptr);
      CHECK(stub->name == target + "@plt");
      CHECK_FALSE(stub->function());
      ++checked;
    }
    CHECK(checked > 0);
  }
}

TEST_CASE("a moved table keeps its names", "[unit]") {
  const auto module = ModuleImage::open(CALLSCOPE_SYMBOL_SAMPLE);
  REQUIRE(module);
  SymbolTable table = table_of(*module);
  const Symbol* const before = table.find(table.group(0)[0].addr);
  const std::string name(before->name);
  const SymbolTable moved = std::move(table);
  CHECK(moved.find(before->addr) == before);
  CHECK(moved.find(before->addr)->name == name);
}

TEST_CASE("of several names the one that people know comes first", "[unit]") {
  const auto symbol = [](std::string_view name, std::uint8_t bind, std::uint64_t size = 8,
                         std::uint8_t type = STT_FUNC) {
    return Symbol{0x1000, size, name, type, bind, true};
  };
  const auto better = [](const Symbol& a, const Symbol& b) {
    CHECK(preferred_name(a, b));
    CHECK_FALSE(preferred_name(b, a));
  };
  better(symbol("zebra", STB_GLOBAL), symbol("ape", STB_WEAK));
  better(symbol("zebra", STB_WEAK), symbol("ape", STB_LOCAL));
  better(symbol("malloc", STB_GLOBAL), symbol("__libc_malloc", STB_GLOBAL));
  better(symbol("longer_name", STB_GLOBAL), symbol("label", STB_GLOBAL, 0));
  better(symbol("function", STB_LOCAL), symbol("_mark", STB_GLOBAL, 0, STT_NOTYPE));
  better(symbol("f", STB_LOCAL), symbol("f.part.0", STB_LOCAL));
  better(symbol("memcpy", STB_GLOBAL), symbol("_Z6memcpyPvS_m", STB_GLOBAL));
  better(symbol("_ZN1AC1Ev", STB_WEAK), symbol("_ZN1AC2Ev", STB_WEAK));
}

TEST_CASE("clone suffixes of the compilers are found, other dots are not", "[unit]") {
  const auto base = [](std::string_view name) { return name.substr(0, clone_suffix_pos(name)); };
  CHECK(base("f.cold") == "f");
  CHECK(base("f.part.0") == "f");
  CHECK(base("f.constprop.0.isra.12") == "f");
  CHECK(base("f.part.0.cold") == "f");
  CHECK(base("f.llvm.1234567890") == "f");
  CHECK(base("f.lto_priv.3") == "f");
  CHECK(base("runtime.main") == "runtime.main");
  CHECK(base("main.colder") == "main.colder");
  CHECK(base("pkg.part.go") == "pkg.part.go");
  CHECK(base("f.0") == "f.0");
  CHECK(base(".cold") == ".cold");
  CHECK(base("") == "");
}
