// SPDX-License-Identifier: Apache-2.0
#include "elf/frame_entries.hpp"

#include <dwarf.h>

#include <map>
#include <string_view>

namespace callscope {
namespace {

constexpr std::uint32_t kWideLength = 0xffffffff;  // a 64-bit length follows
constexpr std::uint32_t kDebugFrameCie = 0xffffffff;

std::uint64_t skip_leb128(ByteSpan bytes, std::uint64_t pos) {
  while (pos < bytes.size() && (bytes[pos] & 0x80) != 0) ++pos;
  return pos + 1;
}

// Bytes of an address in that encoding; 0 if they vary.
std::uint64_t encoded_size(std::uint8_t encoding) {
  switch (encoding & 0x0f) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8:
      return 8;
    case DW_EH_PE_udata4:
    case DW_EH_PE_sdata4:
      return 4;
    case DW_EH_PE_udata2:
    case DW_EH_PE_sdata2:
      return 2;
    default:
      return 0;
  }
}

// The number at pos; sign-extended if its encoding is signed.
std::optional<std::uint64_t> load_encoded(ByteSpan bytes, std::uint64_t pos,
                                          std::uint8_t encoding) {
  const auto widen = [](auto value) -> std::optional<std::uint64_t> {
    if (!value) return std::nullopt;
    return static_cast<std::uint64_t>(std::int64_t{*value});
  };
  switch (encoding & 0x0f) {
    case DW_EH_PE_udata4:
      return load<std::uint32_t>(bytes, pos);
    case DW_EH_PE_sdata4:
      return widen(load<std::int32_t>(bytes, pos));
    case DW_EH_PE_udata2:
      return load<std::uint16_t>(bytes, pos);
    case DW_EH_PE_sdata2:
      return widen(load<std::int16_t>(bytes, pos));
    default:
      return load<std::uint64_t>(bytes, pos);
  }
}

// How the FDEs of a CIE of .eh_frame encode their addresses; DW_EH_PE_omit when it cannot be told.
// body: behind length and id.
std::uint8_t address_encoding(ByteSpan body) {
  const auto version = load<std::uint8_t>(body, 0);
  if (version != 1 && version != 3) return DW_EH_PE_omit;
  const std::string_view augmentation = string_at(body, 1);
  std::uint64_t pos = 1 + augmentation.size() + 1;
  if (augmentation.empty()) return DW_EH_PE_absptr;
  if (!augmentation.starts_with('z')) return DW_EH_PE_omit;
  pos = skip_leb128(body, pos);                           // code alignment
  pos = skip_leb128(body, pos);                           // data alignment
  pos = version == 1 ? pos + 1 : skip_leb128(body, pos);  // return address register
  pos = skip_leb128(body, pos);                           // length of the augmentation data
  for (const char mark : augmentation.substr(1)) {
    if (mark == 'S' || mark == 'B') continue;  // no data
    const auto encoding = load<std::uint8_t>(body, pos);
    if (!encoding) return DW_EH_PE_omit;
    if (mark == 'R') return *encoding;
    ++pos;
    if (mark == 'P') pos += encoded_size(*encoding);
  }
  return DW_EH_PE_absptr;
}

struct Entry {
  std::uint64_t start = 0;  // of its length
  std::uint64_t pos = 0;    // of the id
  ByteSpan content;         // from the id on
  std::uint64_t id_bytes = 4;
  std::uint64_t id = 0;
};

// The entry at pos; content is empty behind the last one. Moves pos behind it.
Entry next_entry(const FrameEntries& entries, std::uint64_t& pos) {
  Entry entry;
  auto length = load<std::uint32_t>(entries.bytes, pos);
  while (length == 0U && !entries.ends_at_zero)  // a linker may leave one in the middle
    length = load<std::uint32_t>(entries.bytes, pos += 4);
  if (!length || *length == 0) return entry;
  entry.start = pos;
  std::uint64_t size = *length;
  pos += 4;
  if (*length == kWideLength) {
    size = load<std::uint64_t>(entries.bytes, pos).value_or(0);
    pos += 8;
    if (!entries.is_eh_frame) entry.id_bytes = 8;
  }
  entry.pos = pos;
  entry.content = slice(entries.bytes, pos, size).value_or(ByteSpan{});
  pos += size;
  if (entry.id_bytes == 8) {
    entry.id = load<std::uint64_t>(entry.content, 0).value_or(~0ULL);
  } else {
    const std::uint32_t id = load<std::uint32_t>(entry.content, 0).value_or(kDebugFrameCie);
    entry.id = id == kDebugFrameCie ? ~0ULL : id;
  }
  return entry;
}

bool is_cie(const FrameEntries& entries, const Entry& entry) {
  return entries.is_eh_frame ? entry.id == 0 : entry.id == ~0ULL;
}

}  // namespace

void for_each_frame_entry(
    const FrameEntries& entries,
    const std::function<void(std::uint64_t, std::uint64_t, std::uint64_t)>& visit) {
  std::map<std::uint64_t, std::uint8_t> encodings;  // by position of the CIE
  std::uint64_t pos = 0;
  while (true) {
    const Entry entry = next_entry(entries, pos);
    if (entry.content.size() < entry.id_bytes) return;
    const ByteSpan body = entry.content.subspan(entry.id_bytes);
    if (is_cie(entries, entry)) {
      constexpr std::uint8_t kPlain = DW_EH_PE_absptr;
      encodings[entry.start] = entries.is_eh_frame ? address_encoding(body) : kPlain;
      continue;
    }
    const auto known = encodings.find(entries.is_eh_frame ? entry.pos - entry.id : entry.id);
    if (known == encodings.end()) continue;
    const std::uint8_t encoding = known->second;
    const std::uint8_t base = encoding & 0xf0;
    const std::uint64_t address_bytes = encoded_size(encoding);
    if (address_bytes == 0 || (base != 0 && base != DW_EH_PE_pcrel)) continue;
    const auto start = load_encoded(body, 0, encoding);
    // The size has the width of the address but is never negative.
    const auto size = load_encoded(body, address_bytes, encoding & ~DW_EH_PE_signed & 0x0f);
    if (!size || *size == 0) continue;
    const std::uint64_t origin =
        base == DW_EH_PE_pcrel ? entries.vaddr + entry.pos + entry.id_bytes : 0;
    const std::uint64_t addr = origin + *start;
    if (addr + *size > addr) visit(addr, addr + *size, entry.content.size());
  }
}

}  // namespace callscope
