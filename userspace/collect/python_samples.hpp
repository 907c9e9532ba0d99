// SPDX-License-Identifier: Apache-2.0
// The Python halves of stacks on their way from BPF to the Recording, and what became of them, in
// samples. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "callscope/abi/python.h"
#include "callscope/recording.hpp"
#include "collect/stack_key.hpp"
#include "python/interleave.hpp"

namespace callscope {

class PythonSamples {
 public:
  struct Half {
    std::uint32_t end = CS_PYTHON_NO_THREAD;  // enum cs_python_end
    std::vector<cs_python_frame> frames;      // leaf first
  };
  enum Outcome : std::uint8_t {
    kShown,
    kCut,       // shown up to CS_PYTHON_FRAMES frames
    kLinking,   // the others are shown by native frames only, because ...
    kNoThread,  // ... the thread's state was not found
    kBroken,    // ... a Python frame was not what it should be
    kMismatch,  // ... both halves did not fit
    kOutcomes
  };

  // The half of the stack whose record comes next.
  void add_half(const cs_python_stack_record& record);
  // nullptr: this stack has none.
  [[nodiscard]] const Half* half(const cs_stack_key& key) const;
  // The one that half() gave last.
  [[nodiscard]] const Half& last_half() const { return half_; }
  // mixed: nullptr if the halves did not fit.
  void note(const cs_stack_key& key, const Half& half, const MixedStack* mixed);

  void begin_counting() { counts_ = {}; }
  void count(const cs_stack_key& key, std::uint64_t samples);
  void add_quality(std::vector<QualityItem>& quality) const;

 private:
  cs_stack_key key_{};  // of half_
  Half half_;
  bool waiting_ = false;
  std::unordered_map<cs_stack_key, Outcome, StackKeyHash, StackKeyEqual> outcomes_;
  std::array<std::uint64_t, kOutcomes> counts_{};
};

}  // namespace callscope
