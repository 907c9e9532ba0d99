// SPDX-License-Identifier: Apache-2.0
#include "probes/exit_sites.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "probes/decoder.hpp"

namespace callscope {
namespace {

// A switch through "jmp *%reg" loads its table entry within the few instructions before.
constexpr int kTableLoadWindow = 6;

class ExitFinder {
 public:
  ExitFinder(std::span<const CodeRange> ranges, const IsFunctionStart& is_function_start)
      : ranges_(ranges), is_function_start_(is_function_start) {}

  Result<std::vector<ExitSite>> run() {
    for (const CodeRange& range : ranges_) CS_TRY(scan(range));
    for (const std::uint64_t target : inner_targets_)
      if (!std::ranges::binary_search(boundaries_, target))
        return refuse("jumps between instructions", target);
    return std::move(exits_);
  }

 private:
  static std::unexpected<Error> refuse(const std::string& why, std::uint64_t addr) {
    return fail(ErrorCode::kUnsupported, fmt::format("{} at {:#x}", why, addr));
  }

  [[nodiscard]] bool inside(std::uint64_t addr) const {
    return std::ranges::any_of(
        ranges_, [&](const CodeRange& range) { return addr - range.addr < range.bytes.size(); });
  }

  Result<void> scan(const CodeRange& range) {
    std::size_t pos = 0;
    int since_table_load = kTableLoadWindow;
    bool falls_through = true;
    while (pos < range.bytes.size()) {
      const std::uint64_t addr = range.addr + pos;
      const auto insn = decode(range.bytes.subspan(pos), addr);
      if (!insn) return refuse("holds bytes that are no instruction", addr);
      boundaries_.push_back(addr);
      since_table_load = insn->table_load ? 0 : since_table_load + 1;
      CS_TRY(take(*insn, addr, since_table_load <= kTableLoadWindow));
      if (!insn->padding) falls_through = insn->flow == Flow::kNext || insn->flow == Flow::kBranch;
      pos += insn->length;
    }
    std::ranges::sort(boundaries_);
    if (falls_through) return refuse("runs on into the next function", range.addr + pos);
    return {};
  }

  Result<void> take(const Instruction& insn, std::uint64_t addr, bool after_table_load) {
    switch (insn.flow) {
      case Flow::kReturn:
        exits_.push_back({addr, false, 0});
        return {};
      case Flow::kJump:
      case Flow::kBranch:
        return take_direct(insn, addr);
      case Flow::kIndirectJump:
        return take_indirect(insn.indirect, addr, after_table_load);
      default:
        return {};
    }
  }

  Result<void> take_direct(const Instruction& insn, std::uint64_t addr) {
    if (insn.target == ranges_.front().addr)
      return refuse("jumps back to its first instruction", addr);  // would count as another call
    if (inside(insn.target)) {
      inner_targets_.push_back(insn.target);
      return {};
    }
    if (insn.flow == Flow::kBranch) return refuse("leaves by a conditional jump", addr);
    if (!is_function_start_(insn.target))
      return refuse("jumps into the middle of other code", addr);
    exits_.push_back({addr, true, insn.target});
    return {};
  }

  Result<void> take_indirect(IndirectForm form, std::uint64_t addr, bool after_table_load) {
    if (form == IndirectForm::kMemory) {
      exits_.push_back({addr, true, 0});
      return {};
    }
    const bool is_switch =
        form == IndirectForm::kNotrack || form == IndirectForm::kIndexed || after_table_load;
    if (is_switch) return {};
    return refuse("jumps through a register, perhaps out of the function", addr);
  }

  std::span<const CodeRange> ranges_;
  const IsFunctionStart& is_function_start_;
  std::vector<std::uint64_t> boundaries_;
  std::vector<std::uint64_t> inner_targets_;
  std::vector<ExitSite> exits_;
};

}  // namespace

Result<std::vector<ExitSite>> find_exit_sites(std::span<const CodeRange> ranges,
                                              const IsFunctionStart& is_function_start) {
  return ExitFinder(ranges, is_function_start).run();
}

}  // namespace callscope
