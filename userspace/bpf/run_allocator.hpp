// SPDX-License-Identifier: Apache-2.0
// Gives out runs of elements of one array, first fit. What is given back is not reused for a while,
// as a BPF program may still be reading it. Knows numbers only. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

namespace callscope {

struct Run {
  std::uint32_t first = 0;
  std::uint32_t count = 0;

  bool operator==(const Run&) const = default;
};

class RunAllocator {
 public:
  // No walk of a stack takes that long.
  static constexpr std::uint64_t kGraceNs = 1'000'000'000;

  explicit RunAllocator(std::uint32_t elements);

  // nullopt: no gap is that long. A run of none is at 0.
  std::optional<Run> take(std::uint32_t count, std::uint64_t now_ns);
  void give_back(Run run, std::uint64_t now_ns);

  [[nodiscard]] std::uint32_t used() const { return used_; }  // without what was given back

 private:
  struct Leaving {
    Run run;
    std::uint64_t since_ns;
  };
  void merge(Run run);

  std::map<std::uint32_t, std::uint32_t> gaps_;  // count by first; no two touch
  std::deque<Leaving> leaving_;                  // oldest first
  std::uint32_t used_ = 0;
};

}  // namespace callscope
