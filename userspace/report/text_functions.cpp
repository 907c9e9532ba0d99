// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "callscope/names.hpp"
#include "model/function_table.hpp"
#include "report/function_columns.hpp"
#include "report/function_notes.hpp"
#include "report/plain_text.hpp"
#include "report/text_sections.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

constexpr std::size_t kMinName = 21;
const std::string kCostTitle = "probes ";  // its cells end in "!" or a blank too

// Columns that are empty or "0" in every row would only take room.
bool says_something(const FunctionColumn& column, const Recording& recording,
                    const std::vector<FunctionRow>& rows) {
  return std::ranges::any_of(rows, [&](const FunctionRow& row) {
    const std::string cell = column.cell(recording, row);
    return !cell.empty() && cell != "0" && cell != "-";
  });
}

// Room for names that is worth giving up a column for: more on wide terminals.
std::size_t wanted_name(std::size_t width) {
  constexpr std::size_t kNarrow = 80;
  return 22 + (width > kNarrow ? (width - kNarrow) * 3 / 10 : 0);
}

std::vector<const FunctionColumn*> chosen_columns(const Recording& recording,
                                                  const std::vector<FunctionRow>& rows,
                                                  const ReportOptions& options) {
  std::vector<const FunctionColumn*> chosen;
  for (const FunctionColumn& column : function_columns()) {
    const bool sorted = column.sort_key == options.sort;
    if (column.rank == FunctionColumn::kWideOnly && !options.wide && !sorted) continue;
    if (column.rank == 0 || sorted || says_something(column, recording, rows))
      chosen.push_back(&column);
  }
  return chosen;
}

std::string write_table(const Recording& recording, const std::vector<FunctionRow>& rows,
                        std::optional<ExitMode> usual, const ReportOptions& options,
                        const Paint& paint) {
  const std::vector<const FunctionColumn*> columns = chosen_columns(recording, rows, options);
  std::vector<TextTable::Column> titles;
  for (const FunctionColumn* column : columns) {
    const bool left =
        column->title == "function" || column->title == "exit" || column->title == "site";
    const bool keep = options.wide || column->sort_key == options.sort;
    titles.push_back({column->sort_key == "cost" ? kCostTitle : std::string(column->title),
                      left ? Align::kLeft : Align::kRight, false, keep ? 0 : column->rank});
  }
  TextTable table(std::move(titles));
  for (const FunctionRow& row : rows) {
    std::vector<std::string> cells;
    for (const FunctionColumn* column : columns) cells.push_back(column->cell(recording, row));
    table.add_row(std::move(cells), row.costly);
  }
  if (options.wide) return table.write(std::string::npos, paint, kMinName);
  table.fit(options.width, wanted_name(options.width));
  const bool cost_shown = table.shows(kCostTitle);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    table.set_notes(i, function_notes(rows[i], usual, cost_shown));
  }
  return table.write(options.width, paint, kMinName);
}

std::string headline(const Recording& recording, std::size_t called, std::optional<ExitMode> usual,
                     const ReportOptions& options) {
  std::string text =
      fmt::format("  {} probed ({}), {} called, by {}", recording.functions.size(),
                  recording.probe_mechanism.empty() ? "mechanism unknown"
                                                    : printable(recording.probe_mechanism),
                  called, printable(options.sort));
  if (usual && !options.wide) text += fmt::format("; exit: {}", name_of(*usual));
  return text + "\n";
}

}  // namespace

std::string text_functions(const Recording& recording, const ReportOptions& options,
                           const Paint& paint) {
  if (recording.functions.empty()) {
    return paint.bold("FUNCTIONS") +
           "  none probed: choose some with record -f GLOB (callscope list shows which there "
           "are)\n";
  }
  const std::vector<FunctionRow> all = function_table(recording, options.sort);
  const auto called = [](const FunctionRow& row) { return row.stats->calls > 0; };
  std::vector<FunctionRow> shown;
  std::ranges::copy_if(all, std::back_inserter(shown), called);
  const std::size_t never = all.size() - shown.size();
  const std::optional<ExitMode> usual = usual_exit(shown);
  std::string text = paint.bold("FUNCTIONS") + headline(recording, shown.size(), usual, options);
  if (shown.empty()) return text + "  no probed function was called while recording\n";

  std::size_t hidden = 0;
  if (options.top_functions > 0 && shown.size() > options.top_functions) {
    hidden = shown.size() - options.top_functions;
    shown.resize(options.top_functions);
  }
  text += write_table(recording, shown, usual, options, paint);
  const auto line = [&](const std::string& words) { text += "  " + paint.dim(words) + "\n"; };
  if (hidden > 0) line(fmt::format("... and {} more (--top 0 shows all)", hidden));
  for (const std::string& words : function_legend(recording, shown)) line(words);
  if (never > 0) text += fmt::format("  {} never called\n", never);
  return text;
}

}  // namespace callscope
