// SPDX-License-Identifier: Apache-2.0
// Entries of one ELF symbol table (.symtab or .dynsym), decoded one at a time from untrusted
// bytes. A view: the bytes must outlive it and the names. Immutable, thread-safe; nothing fails,
// a name that points outside its string table is empty.
#pragma once

#include <elf.h>

#include <cstdint>
#include <string_view>

#include "elf/bytes.hpp"

namespace callscope {

struct ElfSymbol {
  std::string_view name;
  std::uint64_t value = 0;  // virtual address (ET_EXEC, ET_DYN)
  std::uint64_t size = 0;
  std::uint8_t type = STT_NOTYPE;  // STT_*
  std::uint8_t bind = STB_LOCAL;   // STB_*
  std::uint16_t shndx = SHN_UNDEF;
};

class ElfSymbols {
 public:
  ElfSymbols(ByteSpan entries, ByteSpan strings, bool dynamic)
      : entries_(entries), strings_(strings), dynamic_(dynamic) {}

  [[nodiscard]] std::uint64_t size() const { return entries_.size() / sizeof(Elf64_Sym); }
  [[nodiscard]] bool dynamic() const { return dynamic_; }  // .dynsym

  // i < size(), else an undefined symbol without a name.
  [[nodiscard]] ElfSymbol at(std::uint64_t i) const {
    const auto raw = load<Elf64_Sym>(entries_, i * sizeof(Elf64_Sym));
    if (!raw) return {};
    return {string_at(strings_, raw->st_name),
            raw->st_value,
            raw->st_size,
            static_cast<std::uint8_t>(ELF64_ST_TYPE(raw->st_info)),
            static_cast<std::uint8_t>(ELF64_ST_BIND(raw->st_info)),
            raw->st_shndx};
  }

 private:
  ByteSpan entries_;
  ByteSpan strings_;
  bool dynamic_;
};

}  // namespace callscope
