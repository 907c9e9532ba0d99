// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "target/module_facts.hpp"

namespace callscope {
namespace {

constexpr std::size_t kMaxSample = 1000;

std::vector<std::uint64_t> starts_from_symbols(const ElfImage& image) {
  constexpr std::uint64_t kMinSize = 32;  // smaller ones often need no frame at all
  std::vector<std::uint64_t> starts;
  image.for_each_symbol([&](const ElfSymbol& symbol) {
    // Of the C library, not of the program.
    const bool start_code =
        symbol.value == image.entry() || symbol.name == "_init" || symbol.name == "_fini";
    if (symbol.type == STT_FUNC && symbol.shndx != SHN_UNDEF && symbol.size >= kMinSize &&
        !start_code)
      starts.push_back(symbol.value);
  });
  return starts;
}

// The sorted table of .eh_frame_hdr survives stripping: pairs of (function, description), both
// relative to the section. Layout: Linux Standard Base, "Exception Frames".
std::vector<std::uint64_t> starts_from_unwind_table(const ElfImage& image) {
  const ElfSection* const section = image.section(".eh_frame_hdr");
  if (section == nullptr) return {};
  constexpr std::uint32_t kUsualLayout = 0x3b031b01;  // version 1, pcrel sdata4, udata4, datarel
  constexpr std::uint64_t kTable = 12;
  constexpr std::uint64_t kEntry = 8;
  const ByteSpan bytes = image.section_bytes(*section);
  if (load<std::uint32_t>(bytes, 0) != kUsualLayout) return {};
  const std::uint64_t count = load<std::uint32_t>(bytes, 8).value_or(0);
  std::vector<std::uint64_t> starts;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto relative = load<std::int32_t>(bytes, kTable + i * kEntry);
    if (!relative) break;
    starts.push_back(section->vaddr + static_cast<std::uint64_t>(std::int64_t{*relative}));
  }
  return starts;
}

// push rbp among the first instructions and mov rbp, rsp soon after it, with what the compiler
// schedules between them: what code begins with that keeps the frame pointer.
bool begins_with_frame(ByteSpan code) {
  constexpr std::uint8_t kPush = 0x55;
  constexpr std::uint64_t kPushWithin = 16;
  for (std::uint64_t push = 0; push < kPushWithin; ++push) {
    if (load<std::uint8_t>(code, push) != kPush) continue;
    for (std::uint64_t mov = push + 1; mov + 3 <= code.size(); ++mov) {
      const bool rex = load<std::uint8_t>(code, mov) == 0x48;
      const auto rest = load<std::uint16_t>(code, mov + 1);
      if (rex && (rest == 0xe589 || rest == 0xec8b)) return true;  // the two encodings of the mov
    }
  }
  return false;
}

}  // namespace

FramePointers sample_frame_pointers(const ElfImage& image) {
  FramePointers result;
  if (image.machine() != EM_X86_64) return result;
  constexpr std::size_t kEnough = 8;
  std::vector<std::uint64_t> starts = starts_from_symbols(image);
  if (starts.empty()) {
    starts = starts_from_unwind_table(image);
    if (starts.size() < kEnough) return result;
  }
  std::ranges::sort(starts);
  const auto duplicates = std::ranges::unique(starts);
  starts.erase(duplicates.begin(), duplicates.end());
  const std::size_t step = std::max<std::size_t>(1, starts.size() / kMaxSample);
  for (std::size_t i = 0; i < starts.size() && result.sampled < kMaxSample; i += step) {
    const auto file_off = image.vaddr_to_file_off(starts[i]);
    constexpr std::uint64_t kPrologue = 40;
    const auto code = file_off ? slice(image.bytes(), *file_off, kPrologue) : std::nullopt;
    if (!code) continue;
    ++result.sampled;
    if (begins_with_frame(*code)) ++result.framed;
  }
  return result;
}

}  // namespace callscope
