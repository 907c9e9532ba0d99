// SPDX-License-Identifier: Apache-2.0
#include "model/quality.hpp"

#include <algorithm>

#include "model/probe_time.hpp"
#include "model/stack_summary.hpp"

namespace callscope {
namespace {

// " (12.5 %)"; empty for nothing.
std::string share_of(std::uint64_t part, std::uint64_t whole) {
  if (part == 0 || whole == 0) return {};
  const std::uint64_t permille = part * 1000 / whole;
  return " (" + std::to_string(permille / 10) + "." + std::to_string(permille % 10) + " %)";
}

}  // namespace

std::uint64_t unmatched_returns(const Recording& recording) {
  std::uint64_t unmatched = 0;
  for (const FunctionStats& f : recording.functions) {
    const std::uint64_t ended = f.returns + f.unwound + f.running + f.untimed + f.skipped;
    unmatched += f.calls > ended ? f.calls - ended : ended - f.calls;
  }
  return unmatched;
}

std::vector<QualityItem> quality_items(const Recording& recording) {
  std::vector<QualityItem> items = recording.quality;
  const auto derive = [&](std::string key, std::uint64_t value, bool loss, std::string meaning) {
    if (std::ranges::find(items, key, &QualityItem::key) != items.end()) return;
    items.push_back({std::move(key), value, loss, std::move(meaning)});
  };
  derive("unmatched_returns", unmatched_returns(recording), true,
         "calls that neither returned, unwound nor still run: events were lost");
  derive("unfinished", recording.finished ? 0 : 1, true,
         "the recorder was killed or still records: data up to its last flush");
  const StackSummary stacks = summarize_stacks(recording);
  derive("truncated_samples", stacks.truncated, false,
         "CPU samples whose stack walk was cut before the thread's first function" +
             share_of(stacks.truncated, stacks.samples));
  derive("unresolved_samples", stacks.unresolved_any, false,
         "CPU samples with at least one frame that has no name" +
             share_of(stacks.unresolved_any, stacks.samples));
  derive("probe_time_ns", probe_time_ns(recording), false,
         "estimated time that the probes took from the target: calls x predicted cost");
  return items;
}

std::vector<std::string> incompleteness(const std::vector<QualityItem>& items) {
  std::vector<std::string> reasons;
  for (const QualityItem& item : items) {
    if (!item.loss || item.value == 0) continue;
    reasons.push_back(item.key + " = " + std::to_string(item.value) + ": " + item.meaning);
  }
  return reasons;
}

}  // namespace callscope
