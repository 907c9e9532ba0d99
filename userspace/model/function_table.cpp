// SPDX-License-Identifier: Apache-2.0
#include "model/function_table.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <tuple>

#include "model/histogram.hpp"

namespace callscope {
namespace {

using SortValue = std::optional<std::uint64_t>;

struct SortKey {
  std::string_view name;
  SortValue (*value)(const FunctionRow&);
};

// By name: no value, so the order of ties decides.
constexpr std::array kSortKeys = {
    SortKey{"total", [](const FunctionRow& r) { return r.total_ns; }},
    SortKey{"self", [](const FunctionRow& r) { return r.self_ns; }},
    SortKey{"calls", [](const FunctionRow& r) { return SortValue(r.stats->calls); }},
    SortKey{"avg", [](const FunctionRow& r) { return r.avg_ns; }},
    SortKey{"min", [](const FunctionRow& r) { return r.min_ns; }},
    SortKey{"max", [](const FunctionRow& r) { return r.max_ns; }},
    SortKey{"p50", [](const FunctionRow& r) { return r.p50_ns; }},
    SortKey{"p90", [](const FunctionRow& r) { return r.p90_ns; }},
    SortKey{"p95", [](const FunctionRow& r) { return r.p95_ns; }},
    SortKey{"p99", [](const FunctionRow& r) { return r.p99_ns; }},
    SortKey{"p99.9", [](const FunctionRow& r) { return r.p999_ns; }},
    SortKey{"unwound", [](const FunctionRow& r) { return SortValue(r.stats->unwound); }},
    SortKey{"running", [](const FunctionRow& r) { return SortValue(r.stats->running); }},
    SortKey{"cost", [](const FunctionRow& r) { return SortValue(r.stats->probe_cost_ns); }},
    SortKey{"name", [](const FunctionRow&) { return SortValue(); }},
};

constexpr auto kSortKeyNames = [] {
  std::array<std::string_view, kSortKeys.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kSortKeys[i].name;
  return names;
}();

}  // namespace

FunctionRow make_function_row(const FunctionStats& stats) {
  FunctionRow row;
  row.stats = &stats;
  if (stats.returns == 0 || stats.exit == ExitMode::kEntryOnly) return row;
  const auto percentile = [&](double p) {
    return percentile_ns(stats.histogram, p, stats.min_ns, stats.max_ns);
  };
  row.total_ns = stats.total_ns;
  row.self_ns = stats.self_ns;
  row.avg_ns = stats.sum_ns / stats.returns;
  row.min_ns = stats.min_ns;
  row.max_ns = stats.max_ns;
  row.p50_ns = percentile(0.5);
  row.p90_ns = percentile(0.9);
  row.p95_ns = percentile(0.95);
  row.p99_ns = percentile(0.99);
  row.p999_ns = percentile(0.999);
  row.costly = stats.probe_cost_ns > *row.avg_ns / 5;
  return row;
}

std::span<const std::string_view> function_sort_keys() { return kSortKeyNames; }

std::vector<FunctionRow> function_table(const Recording& recording, std::string_view key) {
  std::vector<FunctionRow> rows;
  rows.reserve(recording.functions.size());
  for (const FunctionStats& stats : recording.functions) rows.push_back(make_function_row(stats));
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
