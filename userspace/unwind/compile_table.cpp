// SPDX-License-Identifier: Apache-2.0
#include "unwind/compile_table.hpp"

#include <elf.h>
#include <elfutils/libdw.h>

#include <algorithm>

#include "elf/frame_section.hpp"
#include "unwind/frame_rule.hpp"
#include "unwind/padding.hpp"
#include "unwind/realigned_stack.hpp"
#include "unwind/table_builder.hpp"

namespace callscope {
namespace {

// A piece of code and the table that knows it.
struct Covered {
  AddressRange range;
  const FrameSection* section = nullptr;
  std::uint64_t entry_bytes = 0;
};

// Adds the parts of the section's pieces that nothing in covered overlaps.
void add_uncovered(std::vector<Covered>& covered, const FrameSection& section) {
  std::vector<Covered> added;
  auto known = covered.cbegin();
  for (std::size_t i = 0; i < section.pieces().size(); ++i) {
    const FramePiece& piece = section.pieces()[i];
    std::uint64_t start = piece.start;
    while (known != covered.cend() && known->range.end <= start) ++known;
    auto next = known;
    while (start < piece.end) {
      const bool blocked = next != covered.cend() && next->range.start < piece.end;
      const std::uint64_t end = blocked ? next->range.start : piece.end;
      if (end > start) added.push_back({{start, end}, &section, section.entry_bytes()[i]});
      start = blocked ? next++->range.end : piece.end;
    }
  }
  covered.insert(covered.end(), added.begin(), added.end());
  std::ranges::sort(covered, {}, [](const Covered& part) { return part.range.start; });
}

class Compiler {
 public:
  Compiler(const ElfImage& image, const std::vector<Covered>& covered, SavedRegisters recorded)
      : image_(image), covered_(covered), recorded_(recorded) {}

  void add_range(const AddressRange& range);
  UnwindTable finish() { return std::move(builder_).finish(); }
  // Whether code that calls has its CFA in a register that its callees save.
  [[nodiscard]] bool needs_saved_registers() const { return needs_saved_registers_; }

 private:
  void add_gap(const AddressRange& gap, bool first);
  void add_piece(const Covered& part, const AddressRange& range);
  void add_row(const cs_unwind_rule& rule, const AddressRange& row);
  void note_needs(const cs_unwind_rule& rule, const AddressRange& row);

  const ElfImage& image_;
  const std::vector<Covered>& covered_;
  SavedRegisters recorded_;
  TableBuilder builder_;
  std::uint64_t work_bytes_ = 0;
  bool needs_saved_registers_ = false;
};

void Compiler::add_range(const AddressRange& range) {
  builder_.begin_range(range.start);
  std::uint64_t addr = range.start;
  const auto first = std::ranges::upper_bound(covered_, range.start, {},
                                              [](const Covered& part) { return part.range.end; });
  for (auto part = first; part != covered_.end() && part->range.start < range.end; ++part) {
    add_gap({addr, part->range.start}, addr == range.start);
    const AddressRange both{std::max(part->range.start, range.start),
                            std::min(part->range.end, range.end)};
    add_piece(*part, both);
    addr = both.end;
  }
  add_gap({addr, range.end}, addr == range.start);
  builder_.end_range(range.end);
}

// Filling between functions is never executed, so the rule before it may go on: that saves two rows
// a function.
void Compiler::add_gap(const AddressRange& gap, bool first) {
  if (gap.end <= gap.start) return;
  const std::uint64_t size = gap.end - gap.start;
  const ByteSpan bytes = image_.bytes_at(gap.start, size);
  if (!first && bytes.size() == size && is_padding(bytes)) return;
  builder_.set(gap.start, cs_unwind_rule{});
}

// libdw interprets the entry anew for each row, so one that has very many would take forever.
void Compiler::add_piece(const Covered& part, const AddressRange& range) {
  constexpr std::uint64_t kMaxWorkBytes = 2ULL << 30;  // some seconds; gdb needs 10 MB
  std::uint64_t addr = range.start;
  while (addr < range.end) {
    work_bytes_ += part.entry_bytes;
    FrameSection::Frame frame;
    if (work_bytes_ <= kMaxWorkBytes) frame = part.section->frame_at(addr);
    Dwarf_Addr end = 0;
    if (!frame || ::dwarf_frame_info(frame.get(), nullptr, &end, nullptr) < 0 || end <= addr) {
      builder_.set(addr, invalid_rule(CS_UNWIND_INVALID_PROGRAM));
      return;
    }
    const cs_unwind_rule rule = read_rule(frame.get(), recorded_);
    end = std::min<std::uint64_t>(end, range.end);
    note_needs(rule, {addr, end});
    add_row(rule, {addr, end});
    addr = end;
  }
}

void Compiler::add_row(const cs_unwind_rule& rule, const AddressRange& row) {
  const std::uint64_t restored =
      restored_bytes(rule, image_.bytes_at(row.start, row.end - row.start));
  if (restored < row.end - row.start) builder_.set(row.start, rule);
  if (restored > 0) builder_.set(row.end - restored, with_registers_restored(rule));
}

void Compiler::note_needs(const cs_unwind_rule& rule, const AddressRange& row) {
  if (rule.kind != CS_UNWIND_CFA && rule.kind != CS_UNWIND_CFA_DEREF) return;
  if (rule.reg != kDwarfRbx && rule.reg < kDwarfR12) return;
  needs_saved_registers_ =
      needs_saved_registers_ || may_call(image_.bytes_at(row.start, row.end - row.start));
}

}  // namespace

Result<std::vector<AddressRange>> executable_ranges(const ElfImage& image) {
  std::vector<AddressRange> ranges;
  std::uint64_t sum = 0;
  for (const ElfSegment& segment : image.segments()) {
    if (segment.type != PT_LOAD || (segment.flags & PF_X) == 0) continue;
    const std::uint64_t size = image.segment_bytes(segment).size();
    if (size == 0) continue;
    if (segment.vaddr + size < segment.vaddr)
      return fail(ErrorCode::kCorrupt, "a segment wraps around the end of memory");
    ranges.push_back({segment.vaddr, segment.vaddr + size});
    sum += size;
  }
  std::ranges::sort(ranges, {}, &AddressRange::start);
  for (std::size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i].start < ranges[i - 1].end)
      return fail(ErrorCode::kCorrupt, "executable segments overlap");
  if (sum > image.bytes().size())
    return fail(ErrorCode::kCorrupt, "executable segments are larger than the file");
  return ranges;
}

Result<UnwindTable> compile_unwind_table(const ElfImage& image, const ElfImage* debug) {
  if (image.machine() != EM_X86_64)
    return fail(ErrorCode::kUnsupported, "unwind tables are made for x86-64 only");
  const Result<std::vector<AddressRange>> ranges = executable_ranges(image);
  if (!ranges) return std::unexpected(ranges.error());
  const FrameSection eh_frame = FrameSection::eh_frame(image);
  const FrameSection debug_frame = FrameSection::debug_frame(image);
  const FrameSection separate =
      debug == nullptr ? FrameSection() : FrameSection::debug_frame(*debug);
  std::vector<Covered> covered;
  for (const FrameSection* section : {&eh_frame, &debug_frame, &separate})
    if (!section->pieces().empty()) add_uncovered(covered, *section);
  Compiler compiler(image, covered, SavedRegisters::kRbp);
  for (const AddressRange& range : *ranges) compiler.add_range(range);
  if (!compiler.needs_saved_registers()) return compiler.finish();
  Compiler complete(image, covered, SavedRegisters::kAll);
  for (const AddressRange& range : *ranges) complete.add_range(range);
  return complete.finish();
}

}  // namespace callscope
