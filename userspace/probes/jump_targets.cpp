// SPDX-License-Identifier: Apache-2.0
#include "probes/jump_targets.hpp"

#include <elf.h>

#include <algorithm>
#include <bit>
#include <optional>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace callscope {
namespace {

constexpr std::uint8_t kCall = 0xe8;
constexpr std::uint8_t kJump = 0xe9;
constexpr std::uint8_t kTwoByteOpcode = 0x0f;
constexpr std::uint8_t kLeaOpcode = 0x8d;

// Where the distance lies in an instruction that begins with these two bytes; 0: it has none.
constexpr std::uint64_t distance_in(std::uint8_t first, std::uint8_t second) {
  if (first == kCall || first == kJump) return 1;
  const bool conditional_jump = first == kTwoByteOpcode && (second & 0xf0) == 0x80;
  const bool relative_address = first == kLeaOpcode && (second & 0xc7) == 0x05;
  return conditional_jump || relative_address ? 2 : 0;
}

constexpr std::uint64_t kBlock = 16;

// Bit i: distance_in() says something of code[i] and code[i + 1], for a block and the byte behind.
std::uint32_t candidates(const std::uint8_t* code) {
#ifdef __SSE2__
  const auto all = [](int byte) { return _mm_set1_epi8(static_cast<char>(byte)); };
  const auto bytes = [](const std::uint8_t* at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  };
  const __m128i first = bytes(code);
  const __m128i second = bytes(code + 1);
  const __m128i near =
      _mm_or_si128(_mm_cmpeq_epi8(first, all(kCall)), _mm_cmpeq_epi8(first, all(kJump)));
  const __m128i conditional =
      _mm_and_si128(_mm_cmpeq_epi8(first, all(kTwoByteOpcode)),
                    _mm_cmpeq_epi8(_mm_and_si128(second, all(0xf0)), all(0x80)));
  const __m128i lea = _mm_and_si128(_mm_cmpeq_epi8(first, all(kLeaOpcode)),
                                    _mm_cmpeq_epi8(_mm_and_si128(second, all(0xc7)), all(0x05)));
  return static_cast<std::uint32_t>(
      _mm_movemask_epi8(_mm_or_si128(near, _mm_or_si128(conditional, lea))));
#else
  std::uint32_t found = 0;
  for (std::uint64_t i = 0; i < kBlock; ++i)
    if (distance_in(code[i], code[i + 1]) != 0) found |= 1U << i;
  return found;
#endif
}

bool is_code(const ElfSegment& segment) {
  return segment.type == PT_LOAD && (segment.flags & PF_X) != 0;
}

// Where the immediate operand of an instruction that may begin at pos lies: mov $imm32,%reg or
// mov $imm32,(memory); 0: it is neither.
std::uint64_t immediate_pos(ByteSpan code, std::uint64_t pos) {
  constexpr std::uint8_t kMovToMemory = 0xc7;
  if ((code[pos] & 0xf8) == 0xb8) return pos + 1;
  if (code[pos] != kMovToMemory || pos + 1 >= code.size()) return 0;
  const std::uint8_t modrm = code[pos + 1];
  const int mod = modrm >> 6;
  const int rm = modrm & 7;
  const bool far = mod == 2 || (mod == 0 && rm == 5);
  const std::uint64_t disp_bytes = far ? 4 : mod == 1 ? 1 : 0;
  const std::uint64_t sib_bytes = mod != 3 && rm == 4 ? 1 : 0;
  return (modrm & 0x38) == 0 ? pos + 2 + sib_bytes + disp_bytes : 0;
}

// Tells what stays within one piece of code.
class PieceCursor {
 public:
  explicit PieceCursor(const std::vector<FrameTable::Piece>& pieces)
      : next_(pieces.begin()), end_(pieces.end()) {}

  // Sources must come in ascending order.
  bool same_piece(std::uint64_t source, std::uint64_t target) {
    while (next_ != end_ && next_->end <= source) ++next_;
    return next_ != end_ && source >= next_->start && target >= next_->start && target < next_->end;
  }

 private:
  std::vector<FrameTable::Piece>::const_iterator next_;
  std::vector<FrameTable::Piece>::const_iterator end_;
};

}  // namespace

JumpTargets::JumpTargets(const ElfImage& image, const FrameTable& frames) {
  std::uint64_t end = 0;
  std::uint64_t base = ~std::uint64_t{0};
  for (const ElfSegment& segment : image.segments()) {
    const std::uint64_t size = image.segment_bytes(segment).size();
    if (!is_code(segment) || size == 0) continue;
    base = std::min(base, segment.vaddr);
    end = std::max(end, segment.vaddr + size);
  }
  // A file cannot hold code further apart than it is long, unless its headers lie.
  if (end <= base || (end - base) / 2 > image.bytes().size()) return;
  jumped_.resize(base, end);
  named_.resize(base, end);
  for (const ElfSegment& segment : image.segments())
    if (is_code(segment)) scan(frames, segment.vaddr, image.segment_bytes(segment));
  if (image.type() == ET_EXEC) add_absolute(image);
  add_relocated(image);
  std::ranges::sort(crossings_, {}, &Crossing::target);
}

void JumpTargets::scan(const FrameTable& frames, std::uint64_t vaddr, ByteSpan code) {
  PieceCursor cursor(frames.pieces());
  const auto look_at = [&](std::uint64_t pos) {
    const std::uint64_t distance_pos = pos + distance_in(code[pos], code[pos + 1]);
    const auto distance = load<std::int32_t>(code, distance_pos);
    if (!distance) return;
    const std::uint64_t target =
        vaddr + distance_pos + 4 + static_cast<std::uint64_t>(std::int64_t{*distance});
    if (!named_.covers(target) || cursor.same_piece(vaddr + pos, target)) return;
    const bool jump = code[pos] == kTwoByteOpcode || code[pos] == kJump;
    (jump ? jumped_ : named_).add(target);
    if (jump) crossings_.push_back({target, vaddr + pos});
  };
  std::uint64_t pos = 0;
  for (; pos + kBlock < code.size(); pos += kBlock)
    for (std::uint32_t found = candidates(&code[pos]); found != 0; found &= found - 1)
      look_at(pos + static_cast<std::uint64_t>(std::countr_zero(found)));
  for (; pos + 1 < code.size(); ++pos)
    if (distance_in(code[pos], code[pos + 1]) != 0) look_at(pos);
}

// Programs at a fixed address take addresses as immediate operands: mov $ADDR,%reg and
// mov $ADDR,(memory), and keep tables of them in their data.
void JumpTargets::add_absolute(const ElfImage& image) {
  for (const ElfSegment& segment : image.segments()) {
    if (!is_code(segment)) continue;
    const ByteSpan code = image.segment_bytes(segment);
    for (std::uint64_t pos = 0; pos < code.size(); ++pos) {
      const std::uint64_t at = immediate_pos(code, pos);
      const auto word = at == 0 ? std::nullopt : load<std::uint32_t>(code, at);
      if (word) named_.add(*word);
    }
  }
  for (const ElfSection& section : image.sections()) {
    const bool data = section.type == SHT_PROGBITS && (section.flags & SHF_ALLOC) != 0 &&
                      (section.flags & SHF_EXECINSTR) == 0;
    if (data) add_words(image.section_bytes(section));
  }
}

void JumpTargets::add_words(ByteSpan data) {
  for (std::uint64_t pos = 0; const auto word = load<std::uint64_t>(data, pos); pos += 8)
    named_.add(*word);
}

// Others have the loader write them into their data: the addends of relative relocations, in a
// table (RELA) or in the data itself, at places of which a bitmap is kept (RELR).
void JumpTargets::add_relocated(const ElfImage& image) {
  for (const ElfSection& section : image.sections()) {
    const ByteSpan content = image.section_bytes(section);
    if (section.type == SHT_RELA) {
      for (std::uint64_t pos = 0; const auto rela = load<Elf64_Rela>(content, pos);
           pos += sizeof(Elf64_Rela))
        if (ELF64_R_TYPE(rela->r_info) == R_X86_64_RELATIVE)
          named_.add(static_cast<std::uint64_t>(rela->r_addend));
    } else if (section.type == SHT_RELR) {
      add_relr(image, content);
    }
  }
}

// An even word is the address of a place; an odd one is a bitmap of the 63 words behind the last.
void JumpTargets::add_relr(const ElfImage& image, ByteSpan content) {
  constexpr std::uint64_t kWordBytes = 8;
  constexpr int kBits = 63;
  std::uint64_t next = 0;
  for (std::uint64_t pos = 0; const auto entry = load<std::uint64_t>(content, pos);
       pos += kWordBytes) {
    if ((*entry & 1) == 0) {
      add_words(image.bytes_at(*entry, kWordBytes));
      next = *entry + kWordBytes;
      continue;
    }
    for (int bit = 0; bit < kBits; ++bit)
      if ((*entry >> (bit + 1) & 1) != 0)
        add_words(image.bytes_at(next + static_cast<std::uint64_t>(bit) * kWordBytes, kWordBytes));
    next += kBits * kWordBytes;
  }
}

void JumpTargets::Addresses::resize(std::uint64_t base, std::uint64_t end) {
  base_ = base;
  bits_.resize((end - base) / 64 + 1);
}

bool JumpTargets::Addresses::any_in(std::uint64_t first, std::uint64_t last) const {
  for (std::uint64_t addr = first; addr <= last; ++addr)
    if (!covers(addr) || (bits_[(addr - base_) / 64] >> (addr - base_) % 64 & 1U) != 0) return true;
  return false;
}

bool JumpTargets::any_in(std::uint64_t first, std::uint64_t last) const {
  return jumped_.any_in(first, last) || named_.any_in(first, last);
}

bool JumpTargets::any_named_in(std::uint64_t first, std::uint64_t last) const {
  return named_.any_in(first, last);
}

std::span<const JumpTargets::Crossing> JumpTargets::into(std::uint64_t start,
                                                         std::uint64_t end) const {
  const auto first = std::ranges::lower_bound(crossings_, start, {}, &Crossing::target);
  const auto last = std::ranges::lower_bound(crossings_, end, {}, &Crossing::target);
  return {first, last};
}

}  // namespace callscope
