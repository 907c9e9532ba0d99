// SPDX-License-Identifier: Apache-2.0
#define INLINE_SAMPLE_OTHER
#include "inline_sample.hpp"

namespace inline_sample {

int other_user(const std::vector<int>& values, const std::vector<std::string>& words) {
  int sum = summed(values);
  for (const auto& [word, count] : counted(words)) sum += clamped(count);
  return scaled(sum);
}

}  // namespace inline_sample
