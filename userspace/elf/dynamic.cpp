// SPDX-License-Identifier: Apache-2.0
// The dynamic section: what the loader reads. Addresses in it are virtual, so they go through
// PT_LOAD to bytes of the file.
#include <elf.h>

#include "elf/elf_image.hpp"

namespace callscope {
namespace {

ByteSpan dynamic_bytes(const ElfImage& image) {
  for (const ElfSegment& segment : image.segments())
    if (segment.type == PT_DYNAMIC) return image.segment_bytes(segment);
  return image.section_bytes(".dynamic");
}

// DT_STRTAB with its DT_STRSZ; the section when the segments do not lead to it.
ByteSpan dynamic_strings(const ElfImage& image, ByteSpan dynamic) {
  std::uint64_t vaddr = 0;
  std::uint64_t size = 0;
  for (std::uint64_t pos = 0; const auto entry = load<Elf64_Dyn>(dynamic, pos);
       pos += sizeof(Elf64_Dyn)) {
    if (entry->d_tag == DT_NULL) break;
    if (entry->d_tag == DT_STRTAB) vaddr = entry->d_un.d_ptr;
    if (entry->d_tag == DT_STRSZ) size = entry->d_un.d_val;
  }
  const auto file_off = image.vaddr_to_file_off(vaddr);
  if (vaddr == 0 || !file_off) return image.section_bytes(".dynstr");
  return slice(image.bytes(), *file_off, size).value_or(ByteSpan{});
}

}  // namespace

std::vector<std::string_view> ElfImage::needed() const {
  const ByteSpan dynamic = dynamic_bytes(*this);
  const ByteSpan strings = dynamic_strings(*this, dynamic);
  std::vector<std::string_view> names;
  for (std::uint64_t pos = 0; const auto entry = load<Elf64_Dyn>(dynamic, pos);
       pos += sizeof(Elf64_Dyn)) {
    if (entry->d_tag == DT_NULL) break;
    if (entry->d_tag != DT_NEEDED) continue;
    const std::string_view name = string_at(strings, entry->d_un.d_val);
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

}  // namespace callscope
