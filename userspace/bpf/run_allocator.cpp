// SPDX-License-Identifier: Apache-2.0
#include "bpf/run_allocator.hpp"

#include <algorithm>
#include <iterator>

namespace callscope {

RunAllocator::RunAllocator(std::uint32_t elements) {
  if (elements > 0) gaps_.emplace(0, elements);
}

std::optional<Run> RunAllocator::take(std::uint32_t count, std::uint64_t now_ns) {
  while (!leaving_.empty() && now_ns - leaving_.front().since_ns >= kGraceNs) {
    merge(leaving_.front().run);
    leaving_.pop_front();
  }
  if (count == 0) return Run{};
  const auto gap =
      std::ranges::find_if(gaps_, [&](const auto& entry) { return entry.second >= count; });
  if (gap == gaps_.end()) return std::nullopt;
  const Run run{gap->first, count};
  const std::uint32_t rest = gap->second - count;
  gaps_.erase(gap);
  if (rest > 0) gaps_.emplace(run.first + count, rest);
  used_ += count;
  return run;
}

void RunAllocator::give_back(Run run, std::uint64_t now_ns) {
  if (run.count == 0) return;
  used_ -= run.count;
  leaving_.push_back({run, now_ns});
}

void RunAllocator::merge(Run run) {
  auto after = gaps_.lower_bound(run.first);
  if (after != gaps_.end() && run.first + run.count == after->first) {
    run.count += after->second;
    after = gaps_.erase(after);
  }
  if (after != gaps_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == run.first) {
      before->second += run.count;
      return;
    }
  }
  gaps_.emplace(run.first, run.count);
}

}  // namespace callscope
