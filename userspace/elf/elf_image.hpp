// SPDX-License-Identifier: Apache-2.0
// ElfImage reads one 64-bit little-endian ELF file (x86-64, aarch64) from a span of bytes. It is a
// view: the owner of the bytes (a MappedFile, a vector) must outlive it and all that it returns.
// The bytes are untrusted: sizes and offsets are checked at each read, and what points outside the
// file is absent, never read. Immutable after parse(), so any thread may use it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callscope/error.hpp"
#include "elf/bytes.hpp"
#include "elf/elf_symbol.hpp"

namespace callscope {

struct ElfSegment {
  std::uint32_t type = 0;   // PT_*
  std::uint32_t flags = 0;  // PF_*
  std::uint64_t file_off = 0;
  std::uint64_t vaddr = 0;
  std::uint64_t file_size = 0;
  std::uint64_t mem_size = 0;
  std::uint64_t align = 0;
};

struct ElfSection {
  std::string_view name;
  std::uint32_t type = 0;   // SHT_*
  std::uint64_t flags = 0;  // SHF_*
  std::uint64_t vaddr = 0;
  std::uint64_t file_off = 0;
  std::uint64_t size = 0;
  std::uint32_t link = 0;
  std::uint64_t align = 0;
  std::uint64_t entry_size = 0;
};

// Content of .gnu_debuglink: file name of the debug file and CRC-32 (zlib's) of its content.
struct DebugLink {
  std::string_view name;
  std::uint32_t crc = 0;
};

class ElfImage {
 public:
  // kCorrupt: not ELF, truncated. kUnsupported: 32-bit, big-endian, other machine.
  static Result<ElfImage> parse(ByteSpan bytes);

  [[nodiscard]] ByteSpan bytes() const { return bytes_; }
  [[nodiscard]] std::uint16_t type() const { return type_; }        // ET_*
  [[nodiscard]] std::uint16_t machine() const { return machine_; }  // EM_X86_64, EM_AARCH64
  [[nodiscard]] std::uint64_t entry() const { return entry_; }
  [[nodiscard]] const std::vector<ElfSegment>& segments() const { return segments_; }
  [[nodiscard]] const std::vector<ElfSection>& sections() const { return sections_; }

  // First section of that name; nullptr if there is none.
  [[nodiscard]] const ElfSection* section(std::string_view name) const;
  // Content in the file; empty for SHT_NOBITS and for what lies outside the file.
  [[nodiscard]] ByteSpan section_bytes(const ElfSection& section) const;
  [[nodiscard]] ByteSpan section_bytes(std::string_view name) const;
  [[nodiscard]] ByteSpan segment_bytes(const ElfSegment& segment) const;

  [[nodiscard]] std::string build_id() const;                  // lower-case hex; empty if none
  [[nodiscard]] std::string_view interpreter() const;          // empty: static or a library
  [[nodiscard]] std::vector<std::string_view> needed() const;  // DT_NEEDED, in order
  [[nodiscard]] std::optional<DebugLink> debuglink() const;

  // The symbol tables present: .symtab, then .dynsym.
  [[nodiscard]] std::vector<ElfSymbols> symbol_tables() const;
  // fn(const ElfSymbol&) for every entry of every table; a name may come twice.
  template <typename Fn>
  void for_each_symbol(Fn&& fn) const {
    for (const ElfSymbols& table : symbol_tables())
      for (std::uint64_t i = 0; i < table.size(); ++i) fn(table.at(i));
  }

  // Through PT_LOAD; nullopt outside of them or where no file content backs the address. A file
  // offset that two segments share belongs to the executable one.
  [[nodiscard]] std::optional<std::uint64_t> vaddr_to_file_off(std::uint64_t vaddr) const;
  [[nodiscard]] std::optional<std::uint64_t> file_off_to_vaddr(std::uint64_t file_off) const;
  // What the file holds at a virtual address: at most size bytes, fewer where the content of the
  // PT_LOAD ends; empty outside of them.
  [[nodiscard]] ByteSpan bytes_at(std::uint64_t vaddr, std::uint64_t size) const;
  // Whether an executable PT_LOAD covers vaddr.
  [[nodiscard]] bool is_executable_addr(std::uint64_t vaddr) const;

 private:
  ElfImage() = default;
  Result<void> read_segments(std::uint64_t pos, std::uint64_t count, std::uint64_t entry_size);
  Result<void> read_sections(std::uint64_t pos, std::uint64_t count, std::uint64_t entry_size,
                             std::uint32_t names_index);

  ByteSpan bytes_;  // owned by the caller of parse()
  std::uint16_t type_ = 0;
  std::uint16_t machine_ = 0;
  std::uint64_t entry_ = 0;
  std::vector<ElfSegment> segments_;
  std::vector<ElfSection> sections_;
};

}  // namespace callscope
