// SPDX-License-Identifier: Apache-2.0
#include "model/quality.hpp"

#include <algorithm>
#include <array>
#include <numeric>

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

struct NamedEnd {
  StackEnd end;
  const char* key;  // behind a prefix that says of what
  const char* meaning;
};
constexpr std::array kEnds = {
    NamedEnd{StackEnd::kComplete, "complete", "reaches the first frame of its thread"},
    NamedEnd{StackEnd::kDeep, "deep",
             "reaches the first frame of its thread, too deep for its middle to be kept"},
    NamedEnd{StackEnd::kDepth, "depth",
             "has more frames than are walked: 8192, or 640 while deep stacks take too much time"},
    NamedEnd{StackEnd::kNoMapping, "no_mapping", "ended at an address in no known code"},
    NamedEnd{StackEnd::kNoTable, "no_table",
             "ended in code without unwind table and without frame pointers"},
    NamedEnd{StackEnd::kJit, "jit", "ended in code compiled at run time without frame pointers"},
    NamedEnd{StackEnd::kBadRule, "bad_rule", "ended where the unwind table cannot be expressed"},
    NamedEnd{StackEnd::kNoRegister, "no_register",
             "ended where the caller follows from a register that is not known any more"},
    NamedEnd{StackEnd::kReadFault, "read_fault", "ended at memory that could not be read"},
    NamedEnd{StackEnd::kBackward, "backward", "ended where the caller would lie below"},
    NamedEnd{StackEnd::kTrampoline, "trampoline",
             "ended at a return probe whose original address is not known"},
    NamedEnd{StackEnd::kZeroReturn, "zero_return",
             "ended at 0 as a return address: overwritten, or the beginning of a stack that the "
             "program made itself"},
    NamedEnd{StackEnd::kNoUser, "no_user", "has no 64-bit user code, or was not walked"},
};

using CountsByEnd = decltype(StackSummary::ends);

template <typename Rows>
CountsByEnd count_ends(const Recording& recording, const Rows& rows) {
  CountsByEnd ends{};
  for (const auto& row : rows)
    ends.at(static_cast<std::size_t>(recording.stacks[row.stack].end)) += row.count;
  return ends;
}

std::uint64_t sum(const CountsByEnd& ends) {
  return std::accumulate(ends.begin(), ends.end(), std::uint64_t{0});
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
  const auto derive_ends = [&](const std::string& prefix, const std::string& what,
                               const CountsByEnd& ends) {
    for (const NamedEnd& end : kEnds)
      if (const std::uint64_t count = ends.at(static_cast<std::size_t>(end.end)))
        derive(prefix + end.key, count, false,
               what + " whose stack " + end.meaning + share_of(count, sum(ends)));
  };
  derive_ends("stacks_", "CPU samples", stacks.ends);
  derive_ends("wait_stacks_", "waits", count_ends(recording, recording.waits));
  derive_ends("fault_stacks_", "page faults", count_ends(recording, recording.faults));
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
