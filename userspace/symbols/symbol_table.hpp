// SPDX-License-Identifier: Apache-2.0
// The names of one module, sorted by ELF virtual address. A SymbolTable owns its names (one arena)
// and needs the images it was built from only while it is built. Symbols of one address form a
// group, the preferred name first. Immutable after build(), so any thread may read it; pointers
// and views stay valid as long as the table, also when it is moved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "elf/elf_image.hpp"

namespace callscope {

struct Symbol {
  std::uint64_t addr = 0;
  std::uint64_t size = 0;  // as in the file; 0: unknown
  std::string_view name;   // linker name without its @VERSION, or "NAME@plt" of a PLT stub (code,
                           // but no function); owned by the table
  std::uint8_t type = 0;   // STT_*
  std::uint8_t bind = 0;   // STB_*
  bool code = false;       // lies in an executable section

  [[nodiscard]] bool function() const { return code && (type == STT_FUNC || ifunc()); }
  // Its address is a resolver that runs once at load time: a probe there sees no calls.
  [[nodiscard]] bool ifunc() const { return type == STT_GNU_IFUNC; }
  [[nodiscard]] bool global() const { return bind != STB_LOCAL; }
};

class SymbolTable {
 public:
  SymbolTable() = default;
  // All names of the images (a binary, its debug file, its .gnu_debugdata), each once.
  static SymbolTable build(std::span<const ElfImage* const> images);

  // Preferred symbol of the code that covers vaddr: the innermost one with a size; a symbol without
  // size reaches to the next symbol or to the end of its section. nullptr: no name is known.
  [[nodiscard]] const Symbol* find(std::uint64_t vaddr) const;

  // Code symbols of one address, preferred name first.
  using Group = std::span<const Symbol>;
  [[nodiscard]] std::size_t group_count() const { return groups_.size(); }
  [[nodiscard]] Group group(std::size_t i) const {
    return Group(code_).subspan(groups_[i].first, groups_[i].count);
  }
  // The group whose address is exactly addr; empty if there is none.
  [[nodiscard]] Group at(std::uint64_t addr) const;
  // Variables and other names that are not code, by address: to say why they are refused.
  [[nodiscard]] std::span<const Symbol> data_symbols() const { return data_; }

  [[nodiscard]] bool empty() const { return code_.empty(); }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct CodeGroup {
    std::uint64_t addr = 0;
    std::uint64_t end = 0;    // exclusive; what find() takes as covered
    std::uint32_t first = 0;  // index into code_
    std::uint32_t count = 0;
    std::uint32_t outer = kNone;  // nearest earlier group that reaches past addr
  };
  friend class SymbolTableBuilder;

  std::vector<char> names_;
  std::vector<Symbol> code_;
  std::vector<Symbol> data_;
  std::vector<CodeGroup> groups_;
};

}  // namespace callscope
