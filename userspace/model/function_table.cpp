// SPDX-License-Identifier: Apache-2.0
#include "model/function_table.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <tuple>

#include "model/histogram.hpp"
#include "model/probe_time.hpp"
#include "model/sampled_time.hpp"

namespace callscope {
namespace {

using Time = std::optional<std::uint64_t>;
// Shares have a fraction; of a time a double keeps more digits than any table shows.
using SortValue = std::optional<double>;

struct SortKey {
  std::string_view name;
  SortValue (*value)(const FunctionRow&);
};

SortValue number(std::uint64_t value) { return static_cast<double>(value); }

SortValue number(Time value) { return value ? number(*value) : SortValue(); }

SortValue part(const std::optional<TimeSplit>& split, std::uint64_t TimeSplit::* member) {
  return split ? number((*split).*member) : SortValue();
}

// By name: no value, so the order of ties decides.
constexpr std::array kSortKeys = {
    SortKey{"total",
            [](const FunctionRow& r) {
              return number(r.total_ns ? r.total_ns : r.estimated_total_ns);
            }},
    SortKey{
        "self",
        [](const FunctionRow& r) { return number(r.self_ns ? r.self_ns : r.estimated_self_ns); }},
    SortKey{"oncpu",
            [](const FunctionRow& r) { return part(r.total_split, &TimeSplit::on_cpu_ns); }},
    SortKey{"blocked",
            [](const FunctionRow& r) { return part(r.total_split, &TimeSplit::blocked_ns); }},
    SortKey{"runq", [](const FunctionRow& r) { return part(r.total_split, &TimeSplit::runq_ns); }},
    SortKey{"self-oncpu",
            [](const FunctionRow& r) { return part(r.self_split, &TimeSplit::on_cpu_ns); }},
    SortKey{"self-blocked",
            [](const FunctionRow& r) { return part(r.self_split, &TimeSplit::blocked_ns); }},
    SortKey{"self-runq",
            [](const FunctionRow& r) { return part(r.self_split, &TimeSplit::runq_ns); }},
    SortKey{"calls", [](const FunctionRow& r) { return number(r.stats->calls); }},
    SortKey{"avg", [](const FunctionRow& r) { return number(r.avg_ns); }},
    SortKey{"min", [](const FunctionRow& r) { return number(r.min_ns); }},
    SortKey{"max", [](const FunctionRow& r) { return number(r.max_ns); }},
    SortKey{"p50", [](const FunctionRow& r) { return number(r.p50_ns); }},
    SortKey{"p90", [](const FunctionRow& r) { return number(r.p90_ns); }},
    SortKey{"p95", [](const FunctionRow& r) { return number(r.p95_ns); }},
    SortKey{"p99", [](const FunctionRow& r) { return number(r.p99_ns); }},
    SortKey{"p99.9", [](const FunctionRow& r) { return number(r.p999_ns); }},
    SortKey{"unwound", [](const FunctionRow& r) { return number(r.stats->unwound); }},
    SortKey{"threw", [](const FunctionRow& r) { return number(r.threw.value_or(0)); }},
    SortKey{"running", [](const FunctionRow& r) { return number(r.stats->running); }},
    SortKey{"untimed", [](const FunctionRow& r) { return number(r.stats->untimed); }},
    SortKey{"skipped", [](const FunctionRow& r) { return number(r.stats->skipped); }},
    SortKey{"cost", [](const FunctionRow& r) { return number(r.stats->probe_cost_ns); }},
    SortKey{"probe-time", [](const FunctionRow& r) { return number(r.probe_time_ns); }},
    SortKey{"name", [](const FunctionRow&) { return SortValue(); }},
};

constexpr auto kSortKeyNames = [] {
  std::array<std::string_view, kSortKeys.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kSortKeys[i].name;
  return names;
}();

TimeSplit split_of(std::uint64_t whole_ns, std::uint64_t runq_ns, std::uint64_t blocked_ns) {
  const std::uint64_t off_ns = runq_ns + blocked_ns;
  return {whole_ns > off_ns ? whole_ns - off_ns : 0, runq_ns, blocked_ns};
}

void add_times(FunctionRow& row, bool off_cpu_split) {
  const FunctionStats& f = *row.stats;
  const auto percentile = [&](double p) {
    return percentile_ns(f.histogram, p, f.min_ns, f.max_ns);
  };
  // A timed call stands for several when calls were skipped: the histogram knows for how many.
  const std::uint64_t weight = histogram_count(f.histogram);
  row.total_ns = f.total_ns;
  row.self_ns = f.self_ns;
  row.avg_ns = f.sum_ns / (weight > 0 ? weight : f.returns);
  row.min_ns = f.min_ns;
  row.max_ns = f.max_ns;
  row.p50_ns = percentile(0.5);
  row.p90_ns = percentile(0.9);
  row.p95_ns = percentile(0.95);
  row.p99_ns = percentile(0.99);
  row.p999_ns = percentile(0.999);
  row.costly = f.probe_cost_ns > *row.avg_ns / 5;
  if (!off_cpu_split) return;
  row.total_split = split_of(f.total_ns, f.runq_ns, f.blocked_ns);
  row.self_split = split_of(f.self_ns, f.self_runq_ns, f.self_blocked_ns);
}

FunctionRow make_row(const Recording& recording, std::uint32_t function,
                     const SampledTime& sampled) {
  FunctionRow row;
  const FunctionStats& f = recording.functions[function];
  row.stats = &f;
  row.function = function;
  row.probe_time_ns = probe_time_ns(recording, f);
  const bool catches_watched = recording.probe_mechanism != "perf-event uprobe";
  if (catches_watched) row.threw = f.threw;
  const std::uint64_t watched = f.returns + f.unwound;
  if (watched > 0) {
    row.unwound_share = static_cast<double>(f.unwound) / static_cast<double>(watched);
    if (catches_watched)
      row.threw_share = static_cast<double>(f.threw) / static_cast<double>(watched);
  }
  if (f.returns > 0 && f.exit != ExitMode::kEntryOnly) {
    add_times(row, recording.off_cpu_split);
  } else if (f.calls > 0) {
    row.estimated_total_ns = samples_ns(recording, sampled.total);
    row.estimated_self_ns = samples_ns(recording, sampled.self);
  }
  return row;
}

}  // namespace

std::span<const std::string_view> function_sort_keys() { return kSortKeyNames; }

std::vector<FunctionRow> function_table(const Recording& recording, std::string_view key) {
  std::vector<FunctionRow> rows;
  rows.reserve(recording.functions.size());
  const std::vector<SampledTime> sampled = sampled_times(recording);
  for (std::uint32_t i = 0; i < recording.functions.size(); ++i) {
    rows.push_back(make_row(recording, i, sampled[i]));
  }
  const auto found = std::ranges::find(kSortKeys, key, &SortKey::name);
  const SortKey& sort_key = found == kSortKeys.end() ? kSortKeys.front() : *found;
  std::ranges::stable_sort(rows, [&](const FunctionRow& a, const FunctionRow& b) {
    // An absent optional is below every number, so absent ones come last.
    const SortValue left = sort_key.value(a);
    const SortValue right = sort_key.value(b);
    if (left != right) return left > right;
    return std::tie(a.stats->name, a.stats->module, a.stats->addr) <
           std::tie(b.stats->name, b.stats->module, b.stats->addr);
  });
  return rows;
}

}  // namespace callscope
