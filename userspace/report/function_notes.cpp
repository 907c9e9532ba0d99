// SPDX-License-Identifier: Apache-2.0
#include "report/function_notes.hpp"
#include "callscope/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/units.hpp"

namespace callscope {
namespace {

// Parts of a whole that is not all: "<0.1%" rather than "0.0%".
std::string small_share(double share) {
  return share > 0 && share < 0.0005 ? "<0.1%" : format_percent(share, 1);
}

void note_budget(const FunctionStats& f, std::vector<std::string>& notes) {
  if (f.exit != ExitMode::kEntryOnly && f.sample_every > 1) {
    notes.push_back(fmt::format("one in {} timed", f.sample_every));
  } else if (f.skipped > 0) {
    notes.push_back(fmt::format("{} of {} timed", f.calls - std::min(f.calls, f.skipped), f.calls));
  }
  if (f.untimed_ns > 0) notes.push_back("timed until " + format_ns(f.untimed_ns));
  if (f.detached_ns > 0) notes.push_back("detached at " + format_ns(f.detached_ns));
}

// "343 threw (6.6%)", "12 unwound (0.5%)", "12 unwound (0.5%), 8 of them threw"
void note_ends(const FunctionRow& row, std::vector<std::string>& notes) {
  const FunctionStats& f = *row.stats;
  if (f.unwound > 0) {
    const bool all_threw = f.threw == f.unwound;
    std::string text = fmt::format("{} {}", f.unwound, all_threw ? "threw" : "unwound");
    if (row.unwound_share) text += fmt::format(" ({})", small_share(*row.unwound_share));
    notes.push_back(std::move(text));
    if (!all_threw && f.threw > 0) notes.push_back(fmt::format("{} of them threw", f.threw));
  }
  if (f.running > 0) notes.push_back(fmt::format("{} running", f.running));
  if (f.untimed > 0 && f.exit != ExitMode::kEntryOnly)
    notes.push_back(fmt::format("{} untimed", f.untimed));
  if (f.tail_exits > 0) notes.push_back(fmt::format("{} cut", f.tail_exits));
}

struct Legend {
  bool (*occurs)(const FunctionRow&);
  std::string_view words;
};

constexpr std::array kLegends = {
    Legend{[](const FunctionRow& r) { return r.costly; },
           "! the probes cost over 20 % of the average call: the times include part of it"},
    Legend{[](const FunctionRow& r) { return r.estimated_total_ns.has_value(); },
           "~ an estimate of its time on CPU, by CPU samples: no call was timed"},
    Legend{[](const FunctionRow& r) { return !r.total_ns; },
           "- no call was timed: none returned, or only entries are counted"},
    Legend{
        [](const FunctionRow& r) { return r.stats->attached_ns > 0; },
        "since: it was loaded or chosen then; what was called before its probes stood is missing"},
    Legend{[](const FunctionRow& r) { return r.stats->skipped > 0; },
           "one in N timed: all calls are counted; times are scaled up from those timed"},
    Legend{[](const FunctionRow& r) { return r.stats->untimed_ns + r.stats->detached_ns > 0; },
           "timed until, detached at: from then on it would have broken the budget"},
    Legend{[](const FunctionRow& r) { return r.stats->unwound > 0; },
           "unwound: calls that never returned; threw: those that an exception left"},
    Legend{[](const FunctionRow& r) {
             return r.stats->untimed > 0 && r.stats->exit != ExitMode::kEntryOnly;
           },
           "untimed: calls that were counted, but whose end could not be seen (too deep)"},
    Legend{[](const FunctionRow& r) { return r.stats->tail_exits > 0; },
           "cut: calls that ended in a tail call whose time is missing"},
    Legend{[](const FunctionRow& r) { return r.stats->inlined_copies > 0; },
           "partly inlined: calls where the compiler copied it into callers are not seen"},
};

}  // namespace

std::optional<ExitMode> usual_exit(std::span<const FunctionRow> rows) {
  std::array<std::size_t, 3> counts{};
  for (const FunctionRow& row : rows) ++counts[static_cast<std::size_t>(row.stats->exit)];
  const auto most = std::ranges::max_element(counts);
  if (*most == 0) return std::nullopt;
  return static_cast<ExitMode>(most - counts.begin());
}

std::vector<std::string> function_notes(const FunctionRow& row, std::optional<ExitMode> usual,
                                        bool cost_shown) {
  const FunctionStats& f = *row.stats;
  std::vector<std::string> notes;
  if (row.costly && !cost_shown) notes.push_back("probes " + format_ns(f.probe_cost_ns) + "!");
  if (f.exit != usual) notes.emplace_back(name_of(f.exit));
  if (f.attached_ns > 0) notes.push_back("since " + format_ns(f.attached_ns));
  note_budget(f, notes);
  note_ends(row, notes);
  if (f.inlined_copies > 0)
    notes.push_back(fmt::format("partly inlined ({} place{})", f.inlined_copies,
                                f.inlined_copies == 1 ? "" : "s"));
  return notes;
}

std::vector<std::string> function_legend(const Recording& recording,
                                         std::span<const FunctionRow> rows) {
  std::vector<std::string> lines;
  for (const Legend& legend : kLegends) {
    if (std::ranges::any_of(rows, legend.occurs)) lines.emplace_back(legend.words);
  }
  if (!recording.off_cpu_split && !rows.empty())
    lines.emplace_back("on-cpu, blocked and runq were not measured in this recording");
  return lines;
}

}  // namespace callscope
