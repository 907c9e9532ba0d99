// SPDX-License-Identifier: Apache-2.0
#include "cli/list_markers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/command.hpp"
#include "collect/marker_finder.hpp"
#include "symbols/module_image.hpp"
#include "target/process.hpp"

namespace callscope::cli {
namespace {

// One marker of one file: all of its places together.
struct Row {
  std::string marker;
  std::string module;
  std::size_t places = 0;
  bool semaphore = false;
  std::string arguments;  // at its first place
  std::string refusal;
};

void add(std::vector<Row>& rows, const UsdtMarker& marker, const std::string& module) {
  const std::string text = marker_text(marker);
  auto row = std::ranges::find_if(
      rows, [&](const Row& known) { return known.marker == text && known.module == module; });
  if (row == rows.end())
    row =
        rows.insert(rows.end(), {text, module, 0, marker.semaphore_off != 0, marker.arguments, ""});
  ++row->places;
  if (row->refusal.empty()) row->refusal = marker.refusal;
}

void print_text(const std::vector<Row>& rows) {
  fmt::print("{:>6}  {:<9}  {:<24}  {:<32}  {}\n", "PLACES", "SEMAPHORE", "MODULE", "MARKER",
             "ARGUMENTS");
  for (const Row& row : rows)
    fmt::print("{:>6}  {:<9}  {:<24}  {:<32}  {}\n", row.places, row.semaphore ? "yes" : "-",
               row.module.substr(row.module.rfind('/') + 1), row.marker,
               row.refusal.empty() ? row.arguments : "cannot be probed: " + row.refusal);
}

void print_json(const std::vector<Row>& rows) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json item{{"marker", row.marker},
                                {"module", row.module},
                                {"places", row.places},
                                {"semaphore", row.semaphore},
                                {"arguments", row.arguments}};
    if (!row.refusal.empty()) item["refused"] = row.refusal;
    list.push_back(std::move(item));
  }
  fmt::print("{}\n", list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

Result<int> print_rows(std::vector<Row> rows, const UsdtPattern& pattern, bool json) {
  if (rows.empty())
    return fail(ErrorCode::kUsage, "'" + pattern.text() + "' matches no marker",
                "'usdt:*:*' shows all there are");
  std::ranges::stable_sort(rows, {}, &Row::marker);
  if (json)
    print_json(rows);
  else
    print_text(rows);
  return kExitOk;
}

}  // namespace

Result<int> list_markers(std::int32_t pid, std::string_view glob, bool json) {
  const Result<UsdtPattern> pattern = UsdtPattern::parse(glob);
  if (!pattern) return std::unexpected(pattern.error());
  const Result<Process> process = Process::open(pid);
  if (!process) return std::unexpected(process.error());
  Recording recording;
  Symbolizer symbolizer(recording);
  CS_TRY(symbolizer.refresh(pid));
  std::vector<Row> rows;
  const MarkerFinder finder(pid, symbolizer);
  for (const PlacedMarker& placed : finder.all())
    if (pattern->matches(placed.marker)) add(rows, placed.marker, placed.module->path());
  return print_rows(std::move(rows), *pattern, json);
}

Result<int> list_markers(const std::string& path, std::string_view glob, bool json) {
  const Result<UsdtPattern> pattern = UsdtPattern::parse(glob);
  if (!pattern) return std::unexpected(pattern.error());
  const Result<ModuleImage> image = ModuleImage::open(path);
  if (!image) return std::unexpected(image.error());
  std::vector<Row> rows;
  for (const UsdtMarker& marker : usdt_markers(image->image()))
    if (pattern->matches(marker)) add(rows, marker, path);
  return print_rows(std::move(rows), *pattern, json);
}

}  // namespace callscope::cli
