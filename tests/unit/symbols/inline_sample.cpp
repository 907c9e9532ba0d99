// SPDX-License-Identifier: Apache-2.0
#include "inline_sample.hpp"

#include <algorithm>

namespace inline_sample {
namespace {

// Internal linkage: DWARF has no linker name for it.
__attribute__((always_inline)) inline int hidden_step(int value) { return clamped(value) * 7; }

class Walker {
 public:
  __attribute__((always_inline)) int step(int by) { return at_ = hidden_step(at_ + by); }

 private:
  int at_ = 1;
};

}  // namespace

int walked(const std::vector<int>& steps) {
  Walker walker;
  const auto twice = [&](int by) __attribute__((always_inline)) {
    return walker.step(by) + walker.step(by);
  };
  // gcc keeps what it tells of a lambda's code inside of the function.
  const auto own_code = [&steps](int by) __attribute__((noinline, noclone)) {
    return clamped(by) - static_cast<int>(steps.size());
  };
  int sum = 0;
  for (const int step : steps) sum += twice(step) + own_code(step);
  return scaled(sum) + summed(steps);
}

std::map<std::string, int> counted(const std::vector<std::string>& words) {
  std::map<std::string, int> counts;
  for (const std::string& word : words) ++counts[word];
  std::vector<std::string> sorted = words;
  std::ranges::sort(sorted);
  counts[sorted.empty() ? "" : sorted.front()] += 100;
  return counts;
}

}  // namespace inline_sample
