// SPDX-License-Identifier: Apache-2.0
// Gives each distinct list of frames one Stack of a Recording, whichever collector saw it. One
// thread; the Recording must outlive it.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "callscope/recording.hpp"
#include "model/stack_end.hpp"

namespace callscope {

// end: enum cs_stack_end. left_out: frames in the middle.
StackEnd stack_end(std::uint32_t end, bool left_out);
class StackTable {
 public:
  explicit StackTable(Recording& recording) : recording_(recording) {}

  // Stack::id; frames leaf first. truncated counts the first time that the frames are seen to end
  // so.
  std::uint32_t intern(std::vector<std::uint32_t> frames, bool truncated, StackEnd end);

 private:
  struct FramesHash {
    std::size_t operator()(const std::vector<std::uint32_t>& frames) const;
  };

  Recording& recording_;
  std::unordered_map<std::vector<std::uint32_t>, std::uint32_t, FramesHash>
      stacks_;  // by frames, end
};

}  // namespace callscope
