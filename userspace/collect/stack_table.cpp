// SPDX-License-Identifier: Apache-2.0
#include "collect/stack_table.hpp"

#include "callscope/abi/code.h"

namespace callscope {

StackEnd stack_end(std::uint32_t end, bool left_out) {
  static_assert(static_cast<int>(StackEnd::kNoUser) == CS_STACK_NO_USER);
  static_assert(static_cast<int>(StackEnd::kZeroReturn) == CS_STACK_ZERO_RETURN);
  if (end == CS_STACK_COMPLETE && left_out) return StackEnd::kDeep;
  return end < CS_STACK_ENDS ? static_cast<StackEnd>(end) : StackEnd::kUnknown;
}

std::size_t StackTable::FramesHash::operator()(const std::vector<std::uint32_t>& frames) const {
  std::uint64_t hash = frames.size();
  for (const std::uint32_t frame : frames) hash = (hash ^ frame) * 0xff51afd7ed558ccdU;
  return hash ^ hash >> 32;
}

std::uint32_t StackTable::intern(std::vector<std::uint32_t> frames, bool truncated, StackEnd end) {
  std::vector<std::uint32_t> key = frames;
  key.push_back(static_cast<std::uint32_t>(end));
  const auto [it, added] =
      stacks_.try_emplace(std::move(key), static_cast<std::uint32_t>(recording_.stacks.size()));
  if (added) recording_.stacks.push_back({it->second, std::move(frames), truncated, end});
  return it->second;
}

}  // namespace callscope
