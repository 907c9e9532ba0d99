// SPDX-License-Identifier: Apache-2.0
#include "probes/usdt.hpp"

#include <elf.h>
#include <fnmatch.h>

#include <algorithm>
#include <optional>

#include "elf/notes.hpp"
#include "probes/decoder.hpp"

namespace callscope {
namespace {

constexpr std::uint32_t kNoteType = 3;  // NT_STAPSDT, which <elf.h> lacks
constexpr std::string_view kSection = ".note.stapsdt";
constexpr std::string_view kBaseSection = ".stapsdt.base";

// The payload of a note: three addresses, then three texts, each ended by a NUL.
struct RawMarker {
  std::uint64_t addr = 0;
  std::uint64_t base = 0;  // where .stapsdt.base was when the note was written
  std::uint64_t semaphore = 0;
  std::string_view provider;
  std::string_view name;
  std::string_view arguments;
};

std::optional<RawMarker> parse_payload(ByteSpan payload) {
  constexpr std::uint64_t kWord = 8;
  const auto addr = load<std::uint64_t>(payload, 0);
  const auto base = load<std::uint64_t>(payload, kWord);
  const auto semaphore = load<std::uint64_t>(payload, 2 * kWord);
  if (!addr || !base || !semaphore || payload.back() != 0) return std::nullopt;
  RawMarker marker{*addr, *base, *semaphore, {}, {}, {}};
  std::uint64_t pos = 3 * kWord;
  for (std::string_view* text : {&marker.provider, &marker.name, &marker.arguments}) {
    if (pos >= payload.size()) return std::nullopt;
    *text = string_at(payload, pos);
    pos += text->size() + 1;
  }
  if (marker.provider.empty() || marker.name.empty()) return std::nullopt;
  return marker;
}

// A probe off an instruction boundary corrupts the program, so a wrong note must not place one.
bool is_nop(const ElfImage& image, std::uint64_t file_off) {
  constexpr std::uint64_t kLongestInstruction = 15;
  if (file_off >= image.bytes().size()) return false;
  const ByteSpan rest = image.bytes().subspan(file_off);
  const auto insn =
      decode(rest.first(std::min<std::uint64_t>(rest.size(), kLongestInstruction)), 0);
  return insn && insn->padding && insn->flow == Flow::kNext;
}

std::optional<UsdtMarker> locate(const ElfImage& image, const RawMarker& raw) {
  // prelink moves a file and leaves the notes as they were; the base tells by how much.
  const ElfSection* const base = image.section(kBaseSection);
  const std::uint64_t moved = base != nullptr && raw.base != 0 ? base->vaddr - raw.base : 0;
  UsdtMarker marker{std::string(raw.provider),
                    std::string(raw.name),
                    std::string(raw.arguments),
                    raw.addr + moved,
                    0,
                    0,
                    {}};
  const auto file_off = image.vaddr_to_file_off(marker.addr);
  if (!file_off || !image.is_executable_addr(marker.addr)) return std::nullopt;
  marker.file_off = *file_off;
  if (!is_nop(image, *file_off)) marker.refusal = "its note points at no nop";
  if (raw.semaphore == 0) return marker;
  const auto semaphore_off = image.vaddr_to_file_off(raw.semaphore + moved);
  if (semaphore_off)
    marker.semaphore_off = *semaphore_off;
  else
    marker.refusal = "its semaphore lies outside of the file";
  return marker;
}

bool glob_matches(const std::string& glob, const std::string& text) {
  return glob == text || ::fnmatch(glob.c_str(), text.c_str(), 0) == 0;
}

}  // namespace

std::vector<UsdtMarker> usdt_markers(const ElfImage& image) {
  std::vector<UsdtMarker> markers;
  const ElfSection* const section = image.section(kSection);
  if (section == nullptr) return markers;
  for_each_note(image.section_bytes(*section), section->align, [&](const ElfNote& note) {
    if (note.owner != "stapsdt" || note.type != kNoteType) return true;
    const auto raw = parse_payload(note.payload);
    if (!raw) return true;
    if (auto marker = locate(image, *raw)) markers.push_back(std::move(*marker));
    return true;
  });
  std::ranges::stable_sort(markers, {}, &UsdtMarker::addr);
  return markers;
}

Result<UsdtPattern> UsdtPattern::parse(std::string_view text) {
  UsdtPattern pattern;
  pattern.text_ = text;
  std::string_view rest = text;
  if (is_one(text)) rest.remove_prefix(text.find(':') + 1);
  const std::size_t colon = rest.find(':');
  if (!is_one(text) || colon == 0 || colon == rest.npos || colon + 1 == rest.size())
    return fail(ErrorCode::kUsage, "'" + std::string(text) + "' names no marker",
                "use usdt:PROVIDER:NAME, for example 'usdt:libstdcxx:throw'");
  pattern.provider_ = rest.substr(0, colon);
  pattern.name_ = rest.substr(colon + 1);
  return pattern;
}

bool UsdtPattern::matches(const UsdtMarker& marker) const {
  return glob_matches(provider_, marker.provider) && glob_matches(name_, marker.name);
}

}  // namespace callscope
