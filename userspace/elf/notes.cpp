// SPDX-License-Identifier: Apache-2.0
#include "elf/notes.hpp"

#include <elf.h>

#include "elf/elf_image.hpp"

namespace callscope {
namespace {

std::uint64_t align_up(std::uint64_t value, std::uint64_t align) {
  return (value + align - 1) / align * align;
}

std::string hex(ByteSpan bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace

void for_each_note(ByteSpan bytes, std::uint64_t align,
                   const std::function<bool(const ElfNote&)>& visit) {
  align = align == 8 ? 8 : 4;
  std::uint64_t pos = 0;
  while (const auto head = load<Elf64_Nhdr>(bytes, pos)) {
    const std::uint64_t owner_pos = pos + sizeof(Elf64_Nhdr);
    const std::uint64_t payload_pos = align_up(owner_pos + head->n_namesz, align);
    const auto owner = slice(bytes, owner_pos, head->n_namesz);
    const auto payload = slice(bytes, payload_pos, head->n_descsz);
    if (!owner || !payload) return;
    if (!visit({string_at(*owner, 0), head->n_type, *payload})) return;
    pos = align_up(payload_pos + head->n_descsz, align);
  }
}

std::string find_build_id(ByteSpan notes, std::uint64_t align) {
  std::string id;
  for_each_note(notes, align, [&](const ElfNote& note) {
    if (note.type == NT_GNU_BUILD_ID && note.owner == "GNU") id = hex(note.payload);
    return id.empty();
  });
  return id;
}

std::string ElfImage::build_id() const {
  for (const ElfSegment& segment : segments_) {
    if (segment.type != PT_NOTE) continue;
    if (std::string id = find_build_id(segment_bytes(segment), segment.align); !id.empty())
      return id;
  }
  for (const ElfSection& section : sections_) {
    if (section.type != SHT_NOTE) continue;
    if (std::string id = find_build_id(section_bytes(section), section.align); !id.empty())
      return id;
  }
  return {};
}

}  // namespace callscope
