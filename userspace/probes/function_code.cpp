// SPDX-License-Identifier: Apache-2.0
#include "probes/function_code.hpp"

#include <algorithm>

namespace callscope {

FunctionCode::FunctionCode(std::span<const CodeRange> ranges) {
  constexpr std::size_t kUsualInstructionBytes = 4;
  std::size_t bytes = 0;
  for (const CodeRange& range : ranges) bytes += range.bytes.size();
  instructions_.reserve(bytes / kUsualInstructionBytes + 1);
  for (const CodeRange& range : ranges) add(range);
}

void FunctionCode::add(const CodeRange& range) {
  ranges_.push_back(range);
  first_.push_back(instructions_.size());
  for (std::size_t pos = 0; pos < range.bytes.size();) {
    const auto insn = decode(range.bytes.subspan(pos), range.addr + pos);
    if (!insn) {
      if (!undecodable_) undecodable_ = range.addr + pos;
      return;
    }
    instructions_.push_back(*insn);
    pos += insn->length;
  }
}

std::span<const Instruction> FunctionCode::instructions_of(std::size_t range) const {
  const std::size_t last = range + 1 < first_.size() ? first_[range + 1] : instructions_.size();
  return instructions().subspan(first_[range], last - first_[range]);
}

bool FunctionCode::covers(std::uint64_t addr) const {
  return std::ranges::any_of(ranges_, [&](const CodeRange& range) { return range.covers(addr); });
}

const Instruction* FunctionCode::at(std::uint64_t addr) const {
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    if (!ranges_[i].covers(addr)) continue;
    const std::span<const Instruction> part = instructions_of(i);
    const auto found = std::ranges::lower_bound(part, addr, {}, &Instruction::addr);
    return found != part.end() && found->addr == addr ? &*found : nullptr;
  }
  return nullptr;
}

}  // namespace callscope
