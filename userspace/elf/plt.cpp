// SPDX-License-Identifier: Apache-2.0
#include "elf/plt.hpp"

#include <elf.h>

#include <unordered_map>

namespace callscope {
namespace {

constexpr std::uint64_t kDefaultStubBytes = 16;
constexpr std::uint64_t kJumpBytes = 6;  // ff 25 REL32: jmp *REL32(%rip)

using GotSlots = std::unordered_map<std::uint64_t, std::string_view>;  // vaddr -> symbol name

// GOT slots that the loader fills with the address of a named symbol.
GotSlots got_slots(const ElfImage& image) {
  GotSlots slots;
  for (const ElfSection& section : image.sections()) {
    if (section.type != SHT_RELA || section.link >= image.sections().size()) continue;
    const ElfSection& table = image.sections()[section.link];
    if (table.type != SHT_DYNSYM || table.link >= image.sections().size()) continue;
    const ElfSymbols symbols(image.section_bytes(table),
                             image.section_bytes(image.sections()[table.link]), true);
    const ByteSpan relocations = image.section_bytes(section);
    for (std::uint64_t pos = 0; const auto rela = load<Elf64_Rela>(relocations, pos);
         pos += sizeof(Elf64_Rela)) {
      const std::uint64_t type = ELF64_R_TYPE(rela->r_info);
      if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) continue;
      const std::string_view name = symbols.at(ELF64_R_SYM(rela->r_info)).name;
      if (!name.empty()) slots.emplace(rela->r_offset, name);
    }
  }
  return slots;
}

}  // namespace

std::vector<PltStub> plt_stubs(const ElfImage& image) {
  std::vector<PltStub> stubs;
  if (image.machine() != EM_X86_64) return stubs;
  const GotSlots slots = got_slots(image);
  for (const ElfSection& section : image.sections()) {
    if (!section.name.starts_with(".plt") || (section.flags & SHF_EXECINSTR) == 0) continue;
    const ByteSpan code = image.section_bytes(section);
    const std::uint64_t stub_size =
        section.entry_size == 0 ? kDefaultStubBytes : section.entry_size;
    for (std::uint64_t pos = 0; pos + kJumpBytes <= code.size(); ++pos) {
      if (code[pos] != 0xff || code[pos + 1] != 0x25) continue;
      const auto distance = load<std::int32_t>(code, pos + 2);
      const std::uint64_t next = section.vaddr + pos + kJumpBytes;
      const auto slot = slots.find(next + static_cast<std::uint64_t>(std::int64_t{*distance}));
      if (slot == slots.end()) continue;
      stubs.push_back({section.vaddr + pos - pos % stub_size, stub_size, slot->second});
    }
  }
  return stubs;
}

}  // namespace callscope
