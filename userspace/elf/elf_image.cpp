// SPDX-License-Identifier: Apache-2.0
#include "elf/elf_image.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace callscope {
namespace {

std::unexpected<Error> corrupt(const std::string& what) {
  return fail(ErrorCode::kCorrupt, what, "the file is damaged or was cut short");
}

Result<void> check_ident(ByteSpan bytes) {
  if (bytes.size() < SELFMAG || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0)
    return fail(ErrorCode::kCorrupt, "not an ELF file", "expected a binary or shared library");
  if (bytes.size() < EI_NIDENT) return corrupt("ELF file header is truncated");
  if (bytes[EI_CLASS] == ELFCLASS32)
    return fail(ErrorCode::kUnsupported, "32-bit ELF file", "only 64-bit programs are supported");
  if (bytes[EI_DATA] == ELFDATA2MSB)
    return fail(ErrorCode::kUnsupported, "big-endian ELF file",
                "only little-endian programs are supported");
  if (bytes[EI_CLASS] != ELFCLASS64 || bytes[EI_DATA] != ELFDATA2LSB)
    return corrupt("ELF file header has an invalid class or byte order");
  return {};
}

// Whether [pos, pos + count * entry_size) is inside size bytes; free of overflow.
bool table_fits(std::uint64_t size, std::uint64_t pos, std::uint64_t count,
                std::uint64_t entry_size) {
  return pos <= size && count <= (size - pos) / entry_size;
}

}  // namespace

Result<ElfImage> ElfImage::parse(ByteSpan bytes) {
  CS_TRY(check_ident(bytes));
  const auto head = load<Elf64_Ehdr>(bytes, 0);
  if (!head) return corrupt("ELF file header is truncated");
  if (head->e_machine != EM_X86_64 && head->e_machine != EM_AARCH64)
    return fail(ErrorCode::kUnsupported,
                "ELF file for machine type " + std::to_string(head->e_machine),
                "only x86-64 and aarch64 are supported");
  ElfImage image;
  image.bytes_ = bytes;
  image.type_ = head->e_type;
  image.machine_ = head->e_machine;
  image.entry_ = head->e_entry;

  // Counts that overflow 16 bits are kept in the first section header (gABI, "ELF Header").
  std::uint64_t segment_count = head->e_phnum;
  std::uint64_t section_count = head->e_shnum;
  std::uint32_t names_index = head->e_shstrndx;
  if (head->e_shoff != 0) {
    const auto first = load<Elf64_Shdr>(bytes, head->e_shoff);
    if (!first) return corrupt("ELF section header table lies outside of the file");
    if (section_count == 0) section_count = first->sh_size;
    if (names_index == SHN_XINDEX) names_index = first->sh_link;
    if (segment_count == PN_XNUM) segment_count = first->sh_info;
  } else {
    section_count = 0;
  }
  CS_TRY(image.read_segments(head->e_phoff, segment_count, head->e_phentsize));
  CS_TRY(image.read_sections(head->e_shoff, section_count, head->e_shentsize, names_index));
  return image;
}

Result<void> ElfImage::read_segments(std::uint64_t pos, std::uint64_t count,
                                     std::uint64_t entry_size) {
  if (count == 0) return {};
  if (entry_size < sizeof(Elf64_Phdr)) return corrupt("ELF program header size is invalid");
  if (!table_fits(bytes_.size(), pos, count, entry_size))
    return corrupt("ELF program header table lies outside of the file");
  segments_.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto raw = load<Elf64_Phdr>(bytes_, pos + i * entry_size);
    if (!raw) break;
    segments_.push_back({raw->p_type, raw->p_flags, raw->p_offset, raw->p_vaddr, raw->p_filesz,
                         raw->p_memsz, raw->p_align});
  }
  return {};
}

Result<void> ElfImage::read_sections(std::uint64_t pos, std::uint64_t count,
                                     std::uint64_t entry_size, std::uint32_t names_index) {
  if (count == 0) return {};
  if (entry_size < sizeof(Elf64_Shdr)) return corrupt("ELF section header size is invalid");
  if (!table_fits(bytes_.size(), pos, count, entry_size))
    return corrupt("ELF section header table lies outside of the file");
  ByteSpan names;
  if (const auto raw = load<Elf64_Shdr>(bytes_, pos + names_index * entry_size);
      raw && names_index < count)
    names = slice(bytes_, raw->sh_offset, raw->sh_size).value_or(ByteSpan{});
  sections_.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto raw = load<Elf64_Shdr>(bytes_, pos + i * entry_size);
    if (!raw) break;
    sections_.push_back({string_at(names, raw->sh_name), raw->sh_type, raw->sh_flags, raw->sh_addr,
                         raw->sh_offset, raw->sh_size, raw->sh_link, raw->sh_addralign,
                         raw->sh_entsize});
  }
  return {};
}

const ElfSection* ElfImage::section(std::string_view name) const {
  const auto found = std::ranges::find(sections_, name, &ElfSection::name);
  return found == sections_.end() ? nullptr : &*found;
}

ByteSpan ElfImage::section_bytes(const ElfSection& section) const {
  if (section.type == SHT_NOBITS) return {};
  return slice(bytes_, section.file_off, section.size).value_or(ByteSpan{});
}

ByteSpan ElfImage::section_bytes(std::string_view name) const {
  const ElfSection* const found = section(name);
  return found == nullptr ? ByteSpan{} : section_bytes(*found);
}

ByteSpan ElfImage::segment_bytes(const ElfSegment& segment) const {
  return slice(bytes_, segment.file_off, segment.file_size).value_or(ByteSpan{});
}

std::string_view ElfImage::interpreter() const {
  for (const ElfSegment& segment : segments_)
    if (segment.type == PT_INTERP) return string_at(segment_bytes(segment), 0);
  return {};
}

std::optional<DebugLink> ElfImage::debuglink() const {
  const ByteSpan content = section_bytes(".gnu_debuglink");
  const std::string_view name = string_at(content, 0);
  if (name.empty()) return std::nullopt;
  const auto crc = load<std::uint32_t>(content, (name.size() + 4) / 4 * 4);  // after NUL, padded
  if (!crc) return std::nullopt;
  return DebugLink{name, *crc};
}

std::vector<ElfSymbols> ElfImage::symbol_tables() const {
  std::vector<ElfSymbols> tables;
  for (const std::uint32_t type : {SHT_SYMTAB, SHT_DYNSYM}) {
    for (const ElfSection& section : sections_) {
      if (section.type != type || section.link >= sections_.size()) continue;
      if (section.entry_size != sizeof(Elf64_Sym)) continue;
      tables.emplace_back(section_bytes(section), section_bytes(sections_[section.link]),
                          type == SHT_DYNSYM);
    }
  }
  return tables;
}

std::optional<std::uint64_t> ElfImage::vaddr_to_file_off(std::uint64_t vaddr) const {
  for (const ElfSegment& segment : segments_) {
    if (segment.type != PT_LOAD || vaddr < segment.vaddr) continue;
    if (vaddr - segment.vaddr < segment.file_size) return segment.file_off + vaddr - segment.vaddr;
  }
  return std::nullopt;
}

ByteSpan ElfImage::bytes_at(std::uint64_t vaddr, std::uint64_t size) const {
  for (const ElfSegment& segment : segments_) {
    if (segment.type != PT_LOAD || vaddr < segment.vaddr) continue;
    const ByteSpan content = segment_bytes(segment);
    const std::uint64_t pos = vaddr - segment.vaddr;
    if (pos < content.size()) return content.subspan(pos, std::min(size, content.size() - pos));
  }
  return {};
}

std::optional<std::uint64_t> ElfImage::file_off_to_vaddr(std::uint64_t file_off) const {
  std::optional<std::uint64_t> vaddr;
  for (const ElfSegment& segment : segments_) {
    if (segment.type != PT_LOAD || file_off < segment.file_off) continue;
    if (file_off - segment.file_off >= segment.file_size) continue;
    const bool executable = (segment.flags & PF_X) != 0;
    if (!vaddr || executable) vaddr = segment.vaddr + (file_off - segment.file_off);
    if (executable) break;
  }
  return vaddr;
}

bool ElfImage::is_executable_addr(std::uint64_t vaddr) const {
  return std::ranges::any_of(segments_, [vaddr](const ElfSegment& segment) {
    return segment.type == PT_LOAD && (segment.flags & PF_X) != 0 && vaddr >= segment.vaddr &&
           vaddr - segment.vaddr < segment.mem_size;
  });
}

}  // namespace callscope
