// SPDX-License-Identifier: Apache-2.0
#include "symbols/dwarf_file.hpp"

#include <elf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>

namespace callscope {
namespace {

// Bytes that the debug sections take in memory; compressed ones say so in their header (Elf64_Chdr:
// type, reserved, size). What is damaged is left to libelf to refuse.
std::uint64_t debug_bytes(const ElfImage& image) {
  std::uint64_t sum = 0;
  for (const ElfSection& section : image.sections()) {
    if (section.name.starts_with(".zdebug")) return kMaxDebugBytes + 1;  // its size is in the data
    if (!section.name.starts_with(".debug_")) continue;
    const bool packed = (section.flags & SHF_COMPRESSED) != 0;
    const std::uint64_t size =
        packed ? load<std::uint64_t>(image.section_bytes(section), 8).value_or(0) : section.size;
    sum += std::min(size, kMaxDebugBytes + 1);
  }
  return sum;
}

// When libelf unpacks a section, it writes the new size and flags into the header where it lies.
// Asked of libelf itself: a damaged file may look different to us.
bool has_packed_sections(Elf* elf) {
  for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    std::size_t names = 0;
    if (::gelf_getshdr(section, &header) == nullptr || ::elf_getshdrstrndx(elf, &names) != 0)
      continue;
    const char* const name = ::elf_strptr(elf, names, header.sh_name);
    if ((header.sh_flags & SHF_COMPRESSED) != 0) return true;
    if (name != nullptr && std::string_view(name).starts_with(".zdebug")) return true;
  }
  return false;
}

}  // namespace

bool has_dwarf(const ElfImage& image) {
  const ElfSection* const info = image.section(".debug_info");
  return info != nullptr && info->type != SHT_NOBITS;
}

void DwarfFile::ElfEnd::operator()(Elf* elf) const { ::elf_end(elf); }
void DwarfFile::DwarfEnd::operator()(Dwarf* dwarf) const { ::dwarf_end(dwarf); }

Result<DwarfFile::Opened> DwarfFile::begin(ByteSpan bytes) {
  ::elf_version(EV_CURRENT);
  const auto image_of = [](ByteSpan span) {
    return reinterpret_cast<char*>(const_cast<std::uint8_t*>(span.data()));
  };
  Opened opened;
  opened.elf.reset(::elf_memory(image_of(bytes), bytes.size()));
  if (opened.elf && has_packed_sections(opened.elf.get())) {
    opened.copy.assign(bytes.begin(), bytes.end());
    opened.elf.reset(::elf_memory(image_of(opened.copy), opened.copy.size()));
  }
  if (!opened.elf)
    return fail(ErrorCode::kCorrupt, std::string("libelf: ") + ::elf_errmsg(::elf_errno()));
  opened.dwarf.reset(::dwarf_begin_elf(opened.elf.get(), DWARF_C_READ, nullptr));
  if (!opened.dwarf)
    return fail(ErrorCode::kCorrupt, std::string("libdw: ") + ::dwarf_errmsg(::dwarf_errno()));
  return opened;
}

Result<DwarfFile> DwarfFile::open(const ElfImage& image, ByteSpan shared, std::uint64_t max_bytes) {
  if (!has_dwarf(image)) return fail(ErrorCode::kNotFound, "there is no debug information");
  if (debug_bytes(image) > max_bytes)
    return fail(ErrorCode::kUnsupported, "there are more than " + std::to_string(max_bytes >> 20) +
                                             " MB of debug information");
  const bool needs_shared = image.section(".gnu_debugaltlink") != nullptr;
  if (needs_shared && shared.empty())
    return fail(ErrorCode::kNotFound, "a part of the debug information is in a file of its own",
                "install the debug package completely");
  DwarfFile file;
  file.bytes_ = debug_bytes(image);
  Result<Opened> main = begin(image.bytes());
  if (!main) return std::unexpected(main.error());
  file.main_ = std::move(*main);
  if (needs_shared) {
    Result<Opened> alt = begin(shared);
    if (!alt) return std::unexpected(alt.error());
    file.shared_ = std::move(*alt);
    ::dwarf_setalt(file.get(), file.shared_.dwarf.get());
  }
  for (const ElfSection& section : image.sections())
    if ((section.flags & SHF_EXECINSTR) != 0)
      file.code_.emplace_back(section.vaddr, section.vaddr + section.size);
  return file;
}

bool DwarfFile::is_code(std::uint64_t vaddr) const {
  return std::ranges::any_of(
      code_, [&](const auto& range) { return vaddr >= range.first && vaddr < range.second; });
}

}  // namespace callscope
