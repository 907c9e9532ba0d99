// SPDX-License-Identifier: Apache-2.0
#include "report/function_columns.hpp"
#include "callscope/names.hpp"

#include <array>
#include <optional>

#include "report/frame_label.hpp"
#include "report/plain_text.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

using Time = std::optional<std::uint64_t>;

std::string time_or_estimate(Time measured, Time estimate) {
  if (measured || !estimate) return format_ns(measured);
  return *estimate == 0 ? "~0" : "~" + format_ns(*estimate);
}

// "0" instead of "0ns": a column of zeroes is no news.
std::string part(const std::optional<TimeSplit>& split, std::uint64_t TimeSplit::* member) {
  if (!split) return "-";
  const std::uint64_t ns = (*split).*member;
  return ns == 0 ? "0" : format_ns(ns);
}

std::string count_or_blank(std::uint64_t count) {
  return count == 0 ? std::string() : std::to_string(count);
}

std::string share_or_blank(const std::optional<double>& share) {
  return !share || *share == 0 ? std::string() : format_percent(*share, 1);
}

// "emulated", or entry and exits where they differ: "emul/step".
std::string site_cell(const FunctionStats& f) {
  const std::string_view entry = entry_class_name(f);
  const std::string_view exit = exit_class_name(f);
  if (entry == exit || exit.empty()) return std::string(entry);
  return std::string(entry.substr(0, 4)) + "/" + std::string(exit.substr(0, 4));
}

using R = Recording;
using Row = FunctionRow;
constexpr int kWide = FunctionColumn::kWideOnly;

constexpr std::array kColumns = {
    FunctionColumn{"calls", "calls", 0,
                   [](const R&, const Row& r) { return std::to_string(r.stats->calls); }},
    FunctionColumn{
        "total", "total", 0,
        [](const R&, const Row& r) { return time_or_estimate(r.total_ns, r.estimated_total_ns); }},
    FunctionColumn{
        "self", "self", 0,
        [](const R&, const Row& r) { return time_or_estimate(r.self_ns, r.estimated_self_ns); }},
    FunctionColumn{
        "on-cpu", "oncpu", 4,
        [](const R&, const Row& r) { return part(r.total_split, &TimeSplit::on_cpu_ns); }},
    FunctionColumn{
        "blocked", "blocked", 2,
        [](const R&, const Row& r) { return part(r.total_split, &TimeSplit::blocked_ns); }},
    FunctionColumn{"runq", "runq", 8,
                   [](const R&, const Row& r) { return part(r.total_split, &TimeSplit::runq_ns); }},
    FunctionColumn{
        "self-cpu", "self-oncpu", kWide,
        [](const R&, const Row& r) { return part(r.self_split, &TimeSplit::on_cpu_ns); }},
    FunctionColumn{
        "self-blk", "self-blocked", kWide,
        [](const R&, const Row& r) { return part(r.self_split, &TimeSplit::blocked_ns); }},
    FunctionColumn{"self-runq", "self-runq", kWide,
                   [](const R&, const Row& r) { return part(r.self_split, &TimeSplit::runq_ns); }},
    FunctionColumn{"avg", "avg", 1, [](const R&, const Row& r) { return format_ns(r.avg_ns); }},
    FunctionColumn{"min", "min", kWide, [](const R&, const Row& r) { return format_ns(r.min_ns); }},
    FunctionColumn{"p50", "p50", 7, [](const R&, const Row& r) { return format_ns(r.p50_ns); }},
    FunctionColumn{"p90", "p90", 11, [](const R&, const Row& r) { return format_ns(r.p90_ns); }},
    FunctionColumn{"p95", "p95", kWide, [](const R&, const Row& r) { return format_ns(r.p95_ns); }},
    FunctionColumn{"p99", "p99", 3, [](const R&, const Row& r) { return format_ns(r.p99_ns); }},
    FunctionColumn{"p99.9", "p99.9", 10,
                   [](const R&, const Row& r) { return format_ns(r.p999_ns); }},
    FunctionColumn{"max", "max", 5, [](const R&, const Row& r) { return format_ns(r.max_ns); }},
    FunctionColumn{"unwound", "unwound", kWide,
                   [](const R&, const Row& r) { return count_or_blank(r.stats->unwound); }},
    FunctionColumn{"unwound%", "", kWide,
                   [](const R&, const Row& r) { return share_or_blank(r.unwound_share); }},
    FunctionColumn{"threw", "threw", kWide,
                   [](const R&, const Row& r) { return count_or_blank(r.threw.value_or(0)); }},
    FunctionColumn{"running", "running", kWide,
                   [](const R&, const Row& r) { return count_or_blank(r.stats->running); }},
    FunctionColumn{"untimed", "untimed", kWide,
                   [](const R&, const Row& r) { return count_or_blank(r.stats->untimed); }},
    FunctionColumn{"skipped", "skipped", kWide,
                   [](const R&, const Row& r) { return count_or_blank(r.stats->skipped); }},
    FunctionColumn{"cut", "", kWide,
                   [](const R&, const Row& r) { return count_or_blank(r.stats->tail_exits); }},
    FunctionColumn{"in probes", "probe-time", 9,
                   [](const R&, const Row& r) { return format_ns(r.probe_time_ns); }},
    FunctionColumn{"probes", "cost", 6,
                   [](const R&, const Row& r) {
                     return format_ns(r.stats->probe_cost_ns) + (r.costly ? "!" : " ");
                   }},
    FunctionColumn{"site", "", kWide, [](const R&, const Row& r) { return site_cell(*r.stats); }},
    FunctionColumn{"exit", "", kWide,
                   [](const R&, const Row& r) { return std::string(name_of(r.stats->exit)); }},
    FunctionColumn{
        "function", "name", 0,
        [](const R& recording, const Row& r) { return function_label(recording, *r.stats); }},
};

std::string_view class_name(const FunctionStats& function, bool emulated) {
  if (function.site_addr == 0) return {};
  return emulated ? "emulated" : "stepped";
}

}  // namespace

std::span<const FunctionColumn> function_columns() { return kColumns; }

std::string function_label(const Recording& recording, const FunctionStats& function) {
  const Module& module = recording.modules[function.module];
  const std::string name = printable(function.name);
  if (module.path == recording.target.exe) return name;
  return printable(module_label(module)) + ":" + name;
}

std::string_view entry_class_name(const FunctionStats& function) {
  return class_name(function, function.emulated_entry);
}

std::string_view exit_class_name(const FunctionStats& function) {
  // Only probes of ours stand on instructions at the exit.
  if (function.exit != ExitMode::kRetSite) return {};
  return class_name(function, function.emulated_exits);
}

}  // namespace callscope
