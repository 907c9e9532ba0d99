// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "callscope/names.hpp"
#include "model/function_table.hpp"
#include "report/function_columns.hpp"
#include "report/renderer.hpp"

namespace callscope {
namespace {

// RFC 4180: quoted when needed, quotes doubled.
std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result += '"';
}

std::string number(const std::optional<std::uint64_t>& value) {
  return value ? std::to_string(*value) : std::string();
}

struct Column {
  std::string_view name;
  std::string (*value)(const Recording&, const FunctionRow&);
};

using R = Recording;
using Row = FunctionRow;

std::string part_cell(const std::optional<TimeSplit>& split, std::uint64_t TimeSplit::* member) {
  return split ? std::to_string((*split).*member) : std::string();
}

std::string count(std::uint64_t value) { return std::to_string(value); }

// New ones go to the end: readers may count.
constexpr std::array kCsvColumns = {
    Column{"name", [](const R&, const Row& r) { return quoted(r.stats->name); }},
    Column{"module", [](const R& recording,
                        const Row& r) { return quoted(recording.modules[r.stats->module].path); }},
    Column{"calls", [](const R&, const Row& r) { return count(r.stats->calls); }},
    Column{"returns", [](const R&, const Row& r) { return count(r.stats->returns); }},
    Column{"unwound", [](const R&, const Row& r) { return count(r.stats->unwound); }},
    Column{"running", [](const R&, const Row& r) { return count(r.stats->running); }},
    Column{"untimed", [](const R&, const Row& r) { return count(r.stats->untimed); }},
    Column{"total_ns", [](const R&, const Row& r) { return number(r.total_ns); }},
    Column{"self_ns", [](const R&, const Row& r) { return number(r.self_ns); }},
    Column{"avg_ns", [](const R&, const Row& r) { return number(r.avg_ns); }},
    Column{"min_ns", [](const R&, const Row& r) { return number(r.min_ns); }},
    Column{"max_ns", [](const R&, const Row& r) { return number(r.max_ns); }},
    Column{"p50_ns", [](const R&, const Row& r) { return number(r.p50_ns); }},
    Column{"p90_ns", [](const R&, const Row& r) { return number(r.p90_ns); }},
    Column{"p95_ns", [](const R&, const Row& r) { return number(r.p95_ns); }},
    Column{"p99_ns", [](const R&, const Row& r) { return number(r.p99_ns); }},
    Column{"p999_ns", [](const R&, const Row& r) { return number(r.p999_ns); }},
    Column{"exit", [](const R&, const Row& r) { return std::string(name_of(r.stats->exit)); }},
    Column{"probe_cost_ns", [](const R&, const Row& r) { return count(r.stats->probe_cost_ns); }},
    Column{"tail_exits", [](const R&, const Row& r) { return count(r.stats->tail_exits); }},
    Column{"on_cpu_ns",
           [](const R&, const Row& r) { return part_cell(r.total_split, &TimeSplit::on_cpu_ns); }},
    Column{"runq_ns",
           [](const R&, const Row& r) { return part_cell(r.total_split, &TimeSplit::runq_ns); }},
    Column{"blocked_ns",
           [](const R&, const Row& r) { return part_cell(r.total_split, &TimeSplit::blocked_ns); }},
    Column{"self_on_cpu_ns",
           [](const R&, const Row& r) { return part_cell(r.self_split, &TimeSplit::on_cpu_ns); }},
    Column{"self_runq_ns",
           [](const R&, const Row& r) { return part_cell(r.self_split, &TimeSplit::runq_ns); }},
    Column{"self_blocked_ns",
           [](const R&, const Row& r) { return part_cell(r.self_split, &TimeSplit::blocked_ns); }},
    Column{"estimated_total_ns",
           [](const R&, const Row& r) { return number(r.estimated_total_ns); }},
    Column{"estimated_self_ns", [](const R&, const Row& r) { return number(r.estimated_self_ns); }},
    Column{"threw", [](const R&, const Row& r) { return number(r.threw); }},
    Column{"skipped", [](const R&, const Row& r) { return count(r.stats->skipped); }},
    Column{"sample_every", [](const R&, const Row& r) { return count(r.stats->sample_every); }},
    Column{"untimed_ns", [](const R&, const Row& r) { return count(r.stats->untimed_ns); }},
    Column{"detached_ns", [](const R&, const Row& r) { return count(r.stats->detached_ns); }},
    Column{"probe_time_ns", [](const R&, const Row& r) { return count(r.probe_time_ns); }},
    Column{"entry_class",
           [](const R&, const Row& r) { return std::string(entry_class_name(*r.stats)); }},
    Column{"exit_class",
           [](const R&, const Row& r) { return std::string(exit_class_name(*r.stats)); }},
    Column{"inlined_copies", [](const R&, const Row& r) { return count(r.stats->inlined_copies); }},
    Column{"attached_ns", [](const R&, const Row& r) { return count(r.stats->attached_ns); }},
    Column{"file", [](const R&, const Row& r) { return quoted(r.stats->file); }},
    Column{"line",
           [](const R&,
              const Row& r) { return r.stats->line == 0 ? std::string() : count(r.stats->line); }},
};

std::string line(const auto& cell_of) {
  std::string text;
  for (const Column& column : kCsvColumns) {
    text += (&column == kCsvColumns.data() ? "" : ",") + cell_of(column);
  }
  return text + "\r\n";
}

}  // namespace

// Lines end with CR LF as RFC 4180 wants; an absent time is an empty field.
std::string render_csv(const Recording& recording, const ReportOptions& options) {
  std::string text = line([](const Column& column) { return std::string(column.name); });
  for (const FunctionRow& row : function_table(recording, options.sort)) {
    text += line([&](const Column& column) { return column.value(recording, row); });
  }
  return text;
}

}  // namespace callscope
