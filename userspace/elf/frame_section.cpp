// SPDX-License-Identifier: Apache-2.0
#include "elf/frame_section.hpp"

#include <dwarf.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <gelf.h>

#include <algorithm>
#include <cstdlib>

#include "elf/frame_entries.hpp"

namespace callscope {
namespace {

constexpr std::uint64_t kMaxDebugFrameBytes = 256ULL << 20;

// libelf wants writable memory but writes only to headers of compressed sections.
Elf* begin_elf(ByteSpan bytes) {
  if (::elf_version(EV_CURRENT) == EV_NONE) return nullptr;
  auto* const image = reinterpret_cast<char*>(const_cast<std::uint8_t*>(bytes.data()));
  return ::elf_memory(image, bytes.size());
}

FrameEntries find_eh_frame(const ElfImage& image) {
  if (const ElfSection* const section = image.section(".eh_frame"))
    return {image.section_bytes(*section), section->vaddr};
  const auto header =
      std::ranges::find(image.segments(), std::uint32_t{PT_GNU_EH_FRAME}, &ElfSegment::type);
  if (header == image.segments().end()) return {};
  // Version, three encodings, then the address of .eh_frame; all linkers write it like this.
  const ByteSpan table = image.segment_bytes(*header);
  const auto distance = load<std::int32_t>(table, 4);
  if (!distance || table[0] != 1 || table[1] != (DW_EH_PE_pcrel | DW_EH_PE_sdata4)) return {};
  const std::uint64_t vaddr =
      header->vaddr + 4 + static_cast<std::uint64_t>(std::int64_t{*distance});
  return {image.bytes_at(vaddr, image.bytes().size()), vaddr, true, true};
}

template <typename T>
void append(std::vector<std::uint8_t>& out, const T& value) {
  const auto* const first = reinterpret_cast<const std::uint8_t*>(&value);
  out.insert(out.end(), first, first + sizeof(T));
}

// An ELF file that holds nothing but this section: libdw would unpack all debug sections of the
// file, and libelf would write into their headers.
std::vector<std::uint8_t> alone(const ElfImage& image, const ElfSection& section) {
  constexpr std::string_view kNames{"\0.shstrtab\0.debug_frame\0.zdebug_frame\0", 37};
  const ByteSpan content = image.section_bytes(section);
  Elf64_Ehdr head{};
  std::copy_n(image.bytes().begin(), EI_NIDENT, head.e_ident);
  head.e_type = ET_DYN;
  head.e_machine = image.machine();
  head.e_version = EV_CURRENT;
  head.e_ehsize = sizeof head;
  head.e_shoff = sizeof head;
  head.e_shentsize = sizeof(Elf64_Shdr);
  head.e_shnum = 3;
  head.e_shstrndx = 1;
  Elf64_Shdr names{};
  names.sh_name = static_cast<std::uint32_t>(kNames.find(".shstrtab"));
  names.sh_type = SHT_STRTAB;
  names.sh_offset = sizeof head + 3 * sizeof(Elf64_Shdr);
  names.sh_size = kNames.size();
  names.sh_addralign = 1;
  Elf64_Shdr table{};
  table.sh_name = static_cast<std::uint32_t>(kNames.find(section.name));
  table.sh_type = SHT_PROGBITS;
  table.sh_flags = section.flags & SHF_COMPRESSED;
  table.sh_offset = (names.sh_offset + names.sh_size + 7) / 8 * 8;
  table.sh_size = content.size();
  table.sh_addralign = 8;
  std::vector<std::uint8_t> out;
  out.reserve(table.sh_offset + content.size());
  append(out, head);
  append(out, Elf64_Shdr{});
  append(out, names);
  append(out, table);
  out.insert(out.end(), kNames.begin(), kNames.end());
  out.resize(table.sh_offset);
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

// As its header says: Elf64_Chdr (type, reserved, size), or "ZLIB" and a big-endian size.
bool unpacks_within_limit(const ElfSection& section, ByteSpan content) {
  if ((section.flags & SHF_COMPRESSED) != 0)
    return load<std::uint64_t>(content, 8).value_or(0) <= kMaxDebugFrameBytes;
  if (section.name != ".zdebug_frame") return true;
  return __builtin_bswap64(load<std::uint64_t>(content, 4).value_or(0)) <= kMaxDebugFrameBytes;
}

// The content of the table in the file that alone() made, unpacked by libdw.
ByteSpan unpacked_table(Elf* elf) {
  Elf_Scn* const section = ::elf_getscn(elf, 2);
  const Elf_Data* const data = section == nullptr ? nullptr : ::elf_rawdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr) return {};
  return {static_cast<const std::uint8_t*>(data->d_buf), data->d_size};
}

}  // namespace

void FrameSection::FrameEnd::operator()(Dwarf_Frame_s* frame) const { std::free(frame); }
void FrameSection::ElfEnd::operator()(Elf* elf) const { ::elf_end(elf); }
void FrameSection::DwarfEnd::operator()(Dwarf* dwarf) const { ::dwarf_end(dwarf); }
void FrameSection::CfiEnd::operator()(Dwarf_CFI_s* cfi) const { ::dwarf_cfi_end(cfi); }

FrameSection::FrameSection(FrameSection&&) noexcept = default;
FrameSection& FrameSection::operator=(FrameSection&&) noexcept = default;
FrameSection::~FrameSection() = default;

void FrameSection::read_pieces(const FrameEntries& entries) {
  struct Found {
    FramePiece piece;
    std::uint64_t bytes = 0;
  };
  std::vector<Found> found;
  for_each_frame_entry(entries, [&](std::uint64_t start, std::uint64_t end, std::uint64_t bytes) {
    found.push_back({{start, end}, bytes});
  });
  std::ranges::stable_sort(found, {}, [](const Found& entry) { return entry.piece.start; });
  pieces_.reserve(found.size());
  entry_bytes_.reserve(found.size());
  for (const Found& entry : found) {
    if (!pieces_.empty() && entry.piece.start < pieces_.back().end) continue;
    pieces_.push_back(entry.piece);
    entry_bytes_.push_back(entry.bytes);
  }
}

FrameSection FrameSection::eh_frame(const ElfImage& image) {
  FrameSection table;
  table.read_pieces(find_eh_frame(image));
  if (table.pieces_.empty()) return table;
  table.elf_.reset(begin_elf(image.bytes()));
  if (table.elf_) table.eh_frame_cfi_.reset(::dwarf_getcfi_elf(table.elf_.get()));
  table.cfi_ = table.eh_frame_cfi_.get();
  return table;
}

FrameSection FrameSection::debug_frame(const ElfImage& image) {
  FrameSection table;
  const ElfSection* section = image.section(".debug_frame");
  if (section == nullptr) section = image.section(".zdebug_frame");
  if (section == nullptr) return table;
  const ByteSpan content = image.section_bytes(*section);
  if (content.empty() || !unpacks_within_limit(*section, content)) return table;
  table.copy_ = alone(image, *section);
  table.elf_.reset(begin_elf(table.copy_));
  if (!table.elf_) return table;
  table.dwarf_.reset(::dwarf_begin_elf(table.elf_.get(), DWARF_C_READ, nullptr));
  if (!table.dwarf_) return table;
  table.cfi_ = ::dwarf_getcfi(table.dwarf_.get());
  if (table.cfi_ != nullptr) table.read_pieces({unpacked_table(table.elf_.get()), 0, false});
  return table;
}

FrameSection::Frame FrameSection::frame_at(std::uint64_t addr) const {
  Dwarf_Frame* frame = nullptr;
  if (cfi_ == nullptr || ::dwarf_cfi_addrframe(cfi_, addr, &frame) != 0) return nullptr;
  return Frame(frame);
}

}  // namespace callscope
