// SPDX-License-Identifier: Apache-2.0
#include "symbols/symbol_table.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <string>

#include "elf/plt.hpp"
#include "symbols/symbol_preference.hpp"

namespace callscope {

// Collects symbols as views into the images, then sorts, removes doubles and copies the names.
class SymbolTableBuilder {
 public:
  void add(const ElfImage& image);
  SymbolTable finish();

 private:
  struct CodeRange {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
  };
  [[nodiscard]] const CodeRange* code_range(std::uint64_t addr) const;
  void add_code_ranges(const ElfImage& image);
  void add_plt_stubs(const ElfImage& image);
  void build_groups();
  void own_names();

  SymbolTable table_;
  std::vector<CodeRange> ranges_;      // executable sections, by start
  std::deque<std::string> plt_names_;  // until finish() copies them
};

namespace {

// "memcpy@@GLIBC_2.14" and "memcpy" are one name.
std::string_view without_version(std::string_view name) {
  const std::size_t at = name.find('@', 1);
  return at == std::string_view::npos ? name : name.substr(0, at);
}

// Marks of the assembler ($x, $d on aarch64) and local labels are not names of functions.
bool is_noise(const ElfSymbol& symbol) {
  if (symbol.name.empty() || symbol.shndx == SHN_UNDEF || symbol.shndx == SHN_ABS ||
      symbol.shndx == SHN_COMMON)
    return true;
  if (symbol.type == STT_SECTION || symbol.type == STT_FILE || symbol.type == STT_TLS) return true;
  return symbol.type == STT_NOTYPE && (symbol.name[0] == '$' || symbol.name.starts_with(".L"));
}

// By address, the names of one address by preference, each name once (a name in .symtab and .dynsym
// comes twice). Never quadratic: a hostile file may give thousands of names to one address.
void sort_and_unique(std::vector<Symbol>& symbols) {
  std::ranges::sort(symbols, [](const Symbol& a, const Symbol& b) {
    if (a.addr != b.addr) return a.addr < b.addr;
    return a.name != b.name ? a.name < b.name : preferred_name(a, b);
  });
  const auto doubles = std::ranges::unique(symbols, [](const Symbol& a, const Symbol& b) {
    return a.addr == b.addr && a.name == b.name;
  });
  symbols.erase(doubles.begin(), doubles.end());
  symbols.shrink_to_fit();
  for (auto first = symbols.begin(); first != symbols.end();) {
    const auto last = std::find_if(first, symbols.end(),
                                   [first](const Symbol& s) { return s.addr != first->addr; });
    if (last - first > 1) std::sort(first, last, preferred_name);
    first = last;
  }
}

}  // namespace

void SymbolTableBuilder::add_code_ranges(const ElfImage& image) {
  for (const ElfSection& section : image.sections()) {
    if ((section.flags & SHF_EXECINSTR) == 0 || section.size == 0) continue;
    if (section.size > std::numeric_limits<std::uint64_t>::max() - section.vaddr) continue;
    ranges_.push_back({section.vaddr, section.vaddr + section.size});
  }
  std::ranges::sort(ranges_, {}, &CodeRange::start);
  // Ranges of a binary and its debug file are the same; a hostile file may overlap them at will.
  // Merged, they still cover each address that was code before.
  std::vector<CodeRange> merged;
  for (const CodeRange& range : ranges_) {
    if (merged.empty() || range.start >= merged.back().end)
      merged.push_back(range);
    else
      merged.back().end = std::max(merged.back().end, range.end);
  }
  ranges_ = std::move(merged);
}

const SymbolTableBuilder::CodeRange* SymbolTableBuilder::code_range(std::uint64_t addr) const {
  auto after = std::ranges::upper_bound(ranges_, addr, {}, &CodeRange::start);
  if (after == ranges_.begin()) return nullptr;
  --after;
  return addr < after->end ? &*after : nullptr;
}

void SymbolTableBuilder::add(const ElfImage& image) {
  add_code_ranges(image);
  image.for_each_symbol([this](const ElfSymbol& raw) {
    if (is_noise(raw)) return;
    const bool code = code_range(raw.value) != nullptr && raw.type != STT_OBJECT;
    Symbol symbol{raw.value, raw.size, without_version(raw.name), raw.type, raw.bind, code};
    (code ? table_.code_ : table_.data_).push_back(symbol);
  });
  add_plt_stubs(image);
}

// Named like perf and objdump do: samples land in stubs. STT_NOTYPE, since a stub is no function
// that anybody would want to probe.
void SymbolTableBuilder::add_plt_stubs(const ElfImage& image) {
  for (const PltStub& stub : plt_stubs(image)) {
    if (code_range(stub.vaddr) == nullptr) continue;
    const std::string& name = plt_names_.emplace_back(std::string(stub.target) + "@plt");
    table_.code_.push_back({stub.vaddr, stub.size, name, STT_NOTYPE, STB_LOCAL, true});
  }
}

void SymbolTableBuilder::build_groups() {
  using CodeGroup = SymbolTable::CodeGroup;
  std::vector<CodeGroup>& groups = table_.groups_;
  const std::vector<Symbol>& code = table_.code_;
  for (std::uint32_t i = 0; i < code.size(); ++i) {
    if (groups.empty() || groups.back().addr != code[i].addr)
      groups.push_back({code[i].addr, code[i].addr, i, 0, SymbolTable::kNone});
    CodeGroup& group = groups.back();
    ++group.count;
    // A label inside a function may claim any size, a size never leaves the section.
    const std::uint64_t section_end = code_range(group.addr)->end;
    const std::uint64_t size = std::min(code[i].size, section_end - group.addr);
    group.end = std::max(group.end, group.addr + size);
  }
  std::vector<std::uint32_t> open;  // groups that may still reach past the current address
  for (std::uint32_t i = 0; i < groups.size(); ++i) {
    CodeGroup& group = groups[i];
    while (!open.empty() && groups[open.back()].end <= group.addr) open.pop_back();
    if (!open.empty()) group.outer = open.back();
    if (group.end == group.addr && open.empty()) {
      group.end = code_range(group.addr)->end;
      if (i + 1 < groups.size()) group.end = std::min(group.end, groups[i + 1].addr);
    }
    open.push_back(i);
  }
}

void SymbolTableBuilder::own_names() {
  std::size_t total = 0;
  for (const auto* symbols : {&table_.code_, &table_.data_})
    for (const Symbol& symbol : *symbols) total += symbol.name.size();
  table_.names_.reserve(total);  // never grows past this, so the views below stay valid
  for (auto* symbols : {&table_.code_, &table_.data_}) {
    for (Symbol& symbol : *symbols) {
      const std::size_t pos = table_.names_.size();
      table_.names_.insert(table_.names_.end(), symbol.name.begin(), symbol.name.end());
      symbol.name = {table_.names_.data() + pos, symbol.name.size()};
    }
  }
}

SymbolTable SymbolTableBuilder::finish() {
  sort_and_unique(table_.code_);
  sort_and_unique(table_.data_);
  build_groups();
  own_names();
  return std::move(table_);
}

SymbolTable SymbolTable::build(std::span<const ElfImage* const> images) {
  SymbolTableBuilder builder;
  for (const ElfImage* const image : images) builder.add(*image);
  return builder.finish();
}

const Symbol* SymbolTable::find(std::uint64_t vaddr) const {
  const auto after = std::ranges::upper_bound(groups_, vaddr, {}, &CodeGroup::addr);
  if (after == groups_.begin()) return nullptr;
  auto i = static_cast<std::uint32_t>(after - groups_.begin() - 1);
  while (i != kNone && vaddr >= groups_[i].end) i = groups_[i].outer;
  return i == kNone ? nullptr : &code_[groups_[i].first];
}

SymbolTable::Group SymbolTable::at(std::uint64_t addr) const {
  const auto found = std::ranges::lower_bound(groups_, addr, {}, &CodeGroup::addr);
  if (found == groups_.end() || found->addr != addr) return {};
  return group(static_cast<std::size_t>(found - groups_.begin()));
}

std::size_t SymbolTable::memory_bytes() const {
  return names_.capacity() + (code_.capacity() + data_.capacity()) * sizeof(Symbol) +
         groups_.capacity() * sizeof(CodeGroup);
}

}  // namespace callscope
