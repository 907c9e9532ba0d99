// SPDX-License-Identifier: Apache-2.0
// The output formats of a report. A renderer turns a Recording into one document and reads nothing
// else; a new format is one file and one line in renderer.cpp. Pure functions, any thread. Names
// are shown as the recording has them: demangle first (symbols/demangle.hpp).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "callscope/recording.hpp"
#include "model/stack_summary.hpp"

namespace callscope {

// What folded stacks and flame graphs weigh: CPU samples, the exact time of probed calls, waits, or
// page faults.
enum class StackWeight { kCpu, kLatency, kOffCpu, kPageFaults };

struct ReportOptions {
  std::string sort = "total";  // one of function_sort_keys()
  // Rows in the text report; 0 = all. The other formats always have everything.
  std::size_t top_functions = 30;
  std::size_t top_cpu_functions = 15;
  std::size_t top_stacks = 10;
  std::size_t width = 120;  // columns that the text report aims at
  bool color = false;       // ANSI colours in the text report
  bool wide = false;        // every column of the function table, however wide that gets

  // Sections of the text report that are left out unless asked for. Globs on function names choose
  // what they are about; "*" means the functions with most time.
  std::optional<std::string> callers;
  std::optional<std::string> histogram;
  std::optional<std::string> heatmap;  // of format heatmap too
  bool per_thread = false;
  bool slow = false;

  bool lines = false;                      // of text, folded and svg: frames with file and line
  SampleSet samples = SampleSet::kAll;     // of text, folded and svg
  StackWeight weight = StackWeight::kCpu;  // of folded and svg
  std::size_t tree_depth = 0;              // levels of format calltree; 0 = all
  double tree_min_percent = 0.5;           // calls with less of the time are summed up there
};

struct Renderer {
  std::string_view name;         // "text": the value of --format
  std::string_view description;  // for --help
  bool for_files = false;        // makes no sense on a terminal
  std::string (*render)(const Recording&, const ReportOptions&) = nullptr;
};

std::span<const Renderer> renderers();
const Renderer* find_renderer(std::string_view name);  // null: no such format

std::string render_text(const Recording& recording, const ReportOptions& options);
std::string render_json(const Recording& recording, const ReportOptions& options);
std::string render_folded(const Recording& recording, const ReportOptions& options);
std::string render_flame_graph(const Recording& recording, const ReportOptions& options);
std::string render_csv(const Recording& recording, const ReportOptions& options);
std::string render_call_tree(const Recording& recording, const ReportOptions& options);
std::string render_heat_map(const Recording& recording, const ReportOptions& options);

}  // namespace callscope
