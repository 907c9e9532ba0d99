// SPDX-License-Identifier: Apache-2.0
#include "probes/switch_table.hpp"

#include <elf.h>

#include <algorithm>
#include <optional>

namespace callscope {
namespace {

// Instructions before the jump that may hold its parts.
constexpr std::size_t kWindow = 24;
constexpr std::uint64_t kMaxEntries = 16384;

struct Table {
  std::uint64_t addr = 0;
  std::uint64_t entry_bytes = 0;  // 4: relative to the table; 8: absolute
};

class SwitchReader {
 public:
  SwitchReader(const FunctionCode& code, std::size_t range, std::size_t position,
               const ElfImage& image)
      : code_(code),
        image_(image),
        part_(code.instructions_of(range)),
        jump_(part_[position]),
        before_(
            part_.subspan(position - std::min(position, kWindow), std::min(position, kWindow))) {}

  SwitchJump run() {
    if (const std::optional<Table> table = find_table()) return read(*table);
    return {may_use_distances() ? SwitchJump::Kind::kUnread : SwitchJump::Kind::kPointer};
  }

 private:
  // The last instruction before the jump, or before the end of earlier, for which matches is true.
  template <typename Match>
  const Instruction* last(std::span<const Instruction> earlier, Match matches) const {
    for (std::size_t i = earlier.size(); i-- > 0;)
      if (matches(earlier[i])) return &earlier[i];
    return nullptr;
  }

  // movslq (%table,%i,4),%x
  static bool is_distance_load(const Instruction& insn) {
    return insn.operation == Operation::kMovSignExtended && insn.has_memory && insn.scale == 4 &&
           insn.index != Reg::kNone;
  }

  // Whether the function loads distances at all, and computes the jump's register from something.
  [[nodiscard]] bool may_use_distances() const {
    if (jump_.has_memory) return false;
    return std::ranges::any_of(code_.instructions(), is_distance_load) &&
           std::ranges::any_of(code_.instructions(), [&](const Instruction& insn) {
             return insn.operation == Operation::kAdd && insn.dst == jump_.dst;
           });
  }

  [[nodiscard]] std::optional<Table> find_table() const {
    if (jump_.has_memory) return absolute_table(jump_);
    if (jump_.dst == Reg::kNone) return std::nullopt;
    const Instruction* const sum =
        last(before_, [&](const Instruction& insn) { return insn.writes_register(jump_.dst); });
    if (sum == nullptr) return std::nullopt;
    if (sum->operation == Operation::kMov && sum->has_memory && sum->scale == 8)
      return absolute_table(*sum);  // mov table(,%i,8),%x; jmp *%x
    if (sum->operation != Operation::kAdd || sum->src == Reg::kNone) return std::nullopt;
    const auto earlier = before_.first(static_cast<std::size_t>(sum - before_.data()));
    const Instruction* const entry = last(earlier, [&](const Instruction& insn) {
      return is_distance_load(insn) && (insn.dst == sum->dst || insn.dst == sum->src);
    });
    if (entry == nullptr || entry->disp != 0) return std::nullopt;
    const std::uint8_t base = entry->dst == sum->dst ? sum->src : sum->dst;
    if (entry->base != base && entry->base != entry->dst) return std::nullopt;
    const auto addr = loaded_address(entry->base, entry->addr);
    if (!addr) return std::nullopt;
    return Table{*addr, 4};
  }

  [[nodiscard]] std::optional<Table> absolute_table(const Instruction& load) const {
    if (load.scale != 8) return std::nullopt;
    if (load.base == Reg::kNone && image_.type() == ET_EXEC)
      return Table{static_cast<std::uint64_t>(load.disp), 8};
    return std::nullopt;  // relocated at load time: the file need not hold it
  }

  // The address that lea put into the register before the instruction at addr: the nearest one in
  // the code before, or the only one of the function (compilers move it out of loops).
  [[nodiscard]] std::optional<std::uint64_t> loaded_address(std::uint8_t reg,
                                                            std::uint64_t addr) const {
    std::optional<std::uint64_t> only;
    const auto loads_it = [&](const Instruction& insn) {
      return insn.operation == Operation::kLea && insn.base == Reg::kRip && insn.dst == reg;
    };
    const Instruction* const write = last(before_, [&](const Instruction& insn) {
      return insn.addr < addr && insn.writes_register(reg);
    });
    if (write != nullptr && loads_it(*write)) return write->disp_addr();
    for (const Instruction& insn : code_.instructions()) {
      if (!loads_it(insn)) continue;
      if (only && *only != insn.disp_addr()) return std::nullopt;
      only = insn.disp_addr();
    }
    return only;
  }

  // Number of entries, when "cmp $N,%i; ja" or "jae" stands before the jump.
  [[nodiscard]] std::optional<std::uint64_t> bound() const {
    constexpr std::uint8_t kAbove = 7;
    constexpr std::uint8_t kAboveOrEqual = 3;
    for (std::size_t i = before_.size(); i-- > 1;) {
      if (before_[i].flow == Flow::kNext) continue;
      const Instruction& compare = before_[i - 1];
      if (compare.operation != Operation::kCmp || !compare.has_imm || compare.imm < 0)
        return std::nullopt;
      const auto last = static_cast<std::uint64_t>(compare.imm);
      if (before_[i].condition == kAbove) return last + 1;
      return before_[i].condition == kAboveOrEqual ? std::optional(last) : std::nullopt;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::uint64_t> entry(const Table& table, std::uint64_t i) const {
    const std::uint64_t addr = table.addr + i * table.entry_bytes;
    const ByteSpan bytes = image_.bytes_at(addr, table.entry_bytes);
    if (table.entry_bytes == 8) return load<std::uint64_t>(bytes, 0);
    const auto distance = load<std::int32_t>(bytes, 0);
    if (!distance) return std::nullopt;
    return table.addr + static_cast<std::uint64_t>(std::int64_t{*distance});
  }

  SwitchJump read(const Table& table) {
    const std::optional<std::uint64_t> count = bound();
    SwitchJump result{SwitchJump::Kind::kRead};
    const bool bounded = count && *count <= kMaxEntries;
    const std::uint64_t most = bounded ? *count : kMaxEntries;
    for (std::uint64_t i = 0; i < most; ++i) {
      const auto target = entry(table, i);
      if (target && code_.at(*target) != nullptr) {
        result.targets.push_back(*target);
        continue;
      }
      if (bounded) return {SwitchJump::Kind::kContradicted};
      break;
    }
    if (result.targets.empty()) return {SwitchJump::Kind::kUnread};
    std::ranges::sort(result.targets);
    const auto doubles = std::ranges::unique(result.targets);
    result.targets.erase(doubles.begin(), doubles.end());
    return result;
  }

  const FunctionCode& code_;
  const ElfImage& image_;
  std::span<const Instruction> part_;
  const Instruction& jump_;
  std::span<const Instruction> before_;
};

}  // namespace

SwitchJump read_switch(const FunctionCode& code, std::size_t range, std::size_t position,
                       const ElfImage& image) {
  return SwitchReader(code, range, position, image).run();
}

}  // namespace callscope
