// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "cli/invoking_user.hpp"
#include "cli/terminal.hpp"
#include "model/function_table.hpp"
#include "model/inlined_frames.hpp"
#include "model/quality.hpp"
#include "report/renderer.hpp"
#include "store/document_file.hpp"
#include "store/recording_reader.hpp"
#include "symbols/demangle.hpp"

namespace callscope::cli {
namespace {

struct ReportArguments {
  std::string file;
  std::string format;  // empty: by the name of the output file
  std::string output = "-";
  std::string sort = "total";
  std::uint64_t top = kDefaultTop;
  std::string demangle = "simple";
  std::string color = "auto";
  std::string callers;  // globs; empty: the section was not asked for
  std::string histogram;
  std::string heatmap;
  std::string weight = "cpu";
  std::uint64_t depth = 0;
  double min_share = 0.5;
  bool wide = false;
  bool per_thread = false;
  bool slow = false;
  bool only_slow = false;
  bool lines = false;
  bool inlined_frames = true;
  bool json = false;
  bool strict = false;

  static constexpr std::uint64_t kDefaultTop = ~std::uint64_t{0};  // as ReportOptions has it
};

std::string format_of(const ReportArguments& arguments) {
  if (arguments.json) return "json";
  if (!arguments.format.empty()) return arguments.format;
  const std::string extension = std::filesystem::path(arguments.output).extension().string();
  const bool known = extension.size() > 1 && find_renderer(extension.substr(1)) != nullptr;
  return known ? extension.substr(1) : "text";
}

DemangleLevel demangle_level(std::string_view name) {
  if (name == "none") return DemangleLevel::kNone;
  return name == "full" ? DemangleLevel::kFull : DemangleLevel::kSimple;
}

std::optional<std::string> glob_of(const std::string& glob) {
  if (glob.empty()) return std::nullopt;
  return glob;
}

ReportOptions report_options(const ReportArguments& arguments) {
  ReportOptions options;
  options.sort = arguments.sort;
  const bool to_stdout = arguments.output == "-";
  options.color = use_color(to_stdout ? STDOUT_FILENO : -1, arguments.color);
  options.width = report_width(to_stdout ? STDOUT_FILENO : -1);
  if (arguments.top != ReportArguments::kDefaultTop) {
    options.top_functions = arguments.top;
    options.top_cpu_functions = arguments.top;
    options.top_stacks = arguments.top;
  }
  options.wide = arguments.wide;
  options.callers = glob_of(arguments.callers);
  options.histogram = glob_of(arguments.histogram);
  options.heatmap = glob_of(arguments.heatmap);
  options.per_thread = arguments.per_thread;
  options.slow = arguments.slow || arguments.only_slow;
  options.samples = arguments.only_slow ? SampleSet::kSlow : SampleSet::kAll;
  if (arguments.weight == "latency") options.weight = StackWeight::kLatency;
  if (arguments.weight == "off-cpu") options.weight = StackWeight::kOffCpu;
  if (arguments.weight == "page-faults") options.weight = StackWeight::kPageFaults;
  options.lines = arguments.lines;
  options.tree_depth = arguments.depth;
  options.tree_min_percent = arguments.min_share;
  return options;
}

// Options that the chosen format would silently ignore are errors.
Result<void> check_combination(const ReportArguments& arguments, std::string_view format) {
  const auto only_for = [&](bool given, std::string_view option,
                            std::initializer_list<std::string_view> formats) -> Result<void> {
    if (!given || std::ranges::find(formats, format) != formats.end()) return {};
    return fail(ErrorCode::kUsage, fmt::format("{} means nothing to format {}", option, format),
                fmt::format("it is for {}", fmt::join(formats, ", ")));
  };
  const bool cpu = arguments.weight == "cpu";
  const std::string weight = "--weight " + arguments.weight;
  CS_TRY(only_for(!cpu, weight, {"folded", "svg"}));
  CS_TRY(only_for(arguments.only_slow, "--only-slow", {"text", "folded", "svg"}));
  CS_TRY(only_for(arguments.depth != 0, "--depth", {"calltree"}));
  CS_TRY(only_for(!arguments.callers.empty(), "--callers", {"text", "json"}));
  CS_TRY(only_for(!arguments.histogram.empty(), "--histogram", {"text", "json"}));
  CS_TRY(only_for(!arguments.heatmap.empty(), "--heatmap", {"text", "json", "heatmap"}));
  CS_TRY(only_for(arguments.per_thread, "--per-thread", {"text", "json"}));
  CS_TRY(only_for(arguments.slow, "--slow", {"text", "json"}));
  CS_TRY(only_for(arguments.lines, "--lines", {"text", "folded", "svg"}));
  CS_TRY(only_for(!arguments.inlined_frames, "--no-inlines", {"text", "json", "folded", "svg"}));
  if (arguments.weight == "latency" && arguments.lines)
    return fail(ErrorCode::kUsage, "--lines is about stacks with lines, --weight latency has none",
                "give one of them");
  if (cpu || !arguments.only_slow) return {};
  return fail(ErrorCode::kUsage, "--only-slow chooses CPU samples, " + weight + " has none",
              "give one of them");
}

Result<int> run_report(const ReportArguments& arguments) {
  if (arguments.json && !arguments.format.empty() && arguments.format != "json") {
    return fail(ErrorCode::kUsage, "--json contradicts --format " + arguments.format,
                "give one of them");
  }
  const Renderer* const renderer = find_renderer(format_of(arguments));
  if (renderer == nullptr) {
    return fail(ErrorCode::kUsage, "no report format is called " + format_of(arguments));
  }
  CS_TRY(check_combination(arguments, renderer->name));
  if (renderer->for_files && arguments.output == "-" && ::isatty(STDOUT_FILENO) == 1) {
    return fail(ErrorCode::kUsage,
                "will not write " + std::string(renderer->name) + " to a terminal",
                "name a file with -o, or redirect standard output");
  }
  Result<Recording> recording = read_recording(arguments.file);
  if (!recording) return std::unexpected(recording.error());
  demangle_names(*recording, demangle_level(arguments.demangle));
  if (!arguments.inlined_frames) remove_inlined_frames(*recording);
  const std::string document = renderer->render(*recording, report_options(arguments));
  if (arguments.output == "-") {
    CS_TRY(write_all(STDOUT_FILENO, document, "standard output"));
  } else {
    CS_TRY(write_document(arguments.output, document, invoking_user()));
  }
  const std::vector<std::string> reasons = incompleteness(quality_items(*recording));
  if (!arguments.strict || reasons.empty()) return kExitOk;
  for (const std::string& reason : reasons) {
    fmt::print(stderr, "callscope: {} is incomplete: {}\n", arguments.file, reason);
  }
  return kExitIncomplete;
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const Renderer& renderer : renderers()) names.emplace_back(renderer.name);
  return names;
}

std::string format_help() {
  std::string help = "What to write:";
  for (const Renderer& renderer : renderers()) {
    help += fmt::format(" {} ({}),", renderer.name, renderer.description);
  }
  help.back() = '.';
  return help + " Default: what the name of the -o file ends in, else text.";
}

std::vector<std::string> sort_names() {
  const auto keys = function_sort_keys();
  return {keys.begin(), keys.end()};
}

std::vector<Option> report_option_table(ReportArguments& a) {
  return {
      {.names = "FILE",
       .value = "FILE",
       .help = "The recording (*.cscope) that record wrote.",
       .set = set_text(a.file),
       .required = true},
      {.names = "--format",
       .value = "FORMAT",
       .help = format_help(),
       .set = set_choice(a.format, format_names())},
      {.names = "--json", .value = "", .help = "Short for --format json.", .set = set_flag(a.json)},
      {.names = "-o,--output",
       .value = "FILE",
       .help = "Write to FILE, whole or not at all; - or nothing is standard output.",
       .set = set_text(a.output)},
      {.names = "--sort",
       .value = "KEY",
       .help = fmt::format("Order of the functions: {}. Default: total.",
                           fmt::join(function_sort_keys(), ", ")),
       .set = set_choice(a.sort, sort_names())},
      {.names = "--top",
       .value = "N",
       .help = "Rows in each table of the text report, 0 for all. Default: 30 probed functions, "
               "15 functions on CPU, 10 stacks.",
       .set = set_number(a.top, 0, 1'000'000)},
      {.names = "--wide",
       .value = "",
       .help = "Every column of the function table, however wide that gets.",
       .set = set_flag(a.wide)},
      {.names = "--callers",
       .value = "GLOB",
       .help = "Who called the functions that match GLOB, or all, with calls and time.",
       .set = set_text(a.callers),
       .bare_value = "*"},
      {.names = "--histogram",
       .value = "GLOB",
       .help =
           "Latency histograms as text, of the functions that match GLOB, or of the 3 with most "
           "time.",
       .set = set_text(a.histogram),
       .bare_value = "*"},
      {.names = "--heatmap",
       .value = "GLOB",
       .help = "Latency over time as text, of the functions that match GLOB, or of the 3 with most "
               "time. With --format heatmap: which functions the SVG shows; the 5 with most time.",
       .set = set_text(a.heatmap),
       .bare_value = "*"},
      {.names = "--per-thread",
       .value = "",
       .help = "Calls by thread, when they were recorded so; else CPU samples by thread.",
       .set = set_flag(a.per_thread)},
      {.names = "--slow",
       .value = "",
       .help =
           "The slow calls that record --slow logged, the slowest first: when, in which thread, "
           "running or waiting, called from where, with which arguments.",
       .set = set_flag(a.slow)},
      {.names = "--only-slow",
       .value = "",
       .help = "Only the CPU samples taken inside those slow calls; for text, folded and svg.",
       .set = set_flag(a.only_slow)},
      {.names = "--lines",
       .value = "",
       .help = "File and line of each frame, where debug information was found: frames of one "
               "function on several lines are several. For text (stacks, callers), folded and svg.",
       .set = set_flag(a.lines)},
      {.names = "--no-inlines",
       .value = "",
       .help = "Without the functions that the compiler inlined, which are marked (inlined), or "
               "_[i] in folded stacks.",
       .set = set_flag(a.inlined_frames, false)},
      {.names = "--weight",
       .value = "WHAT",
       .help = "What folded stacks and flame graphs weigh: cpu (samples of all code), latency (the "
               "exact time of probed calls in ns, waiting included), off-cpu (waits in ns, of "
               "record --off-cpu) or page-faults (of record --page-faults). Default: cpu.",
       .set = set_choice(a.weight, {"cpu", "latency", "off-cpu", "page-faults"})},
      {.names = "--depth",
       .value = "N",
       .help = "Levels of --format calltree, 0 for all. Default: 0.",
       .set = set_number(a.depth, 0, 1024)},
      {.names = "--min-share",
       .value = "PERCENT",
       .help = "Calls with less of the time are summed up in --format calltree. Default: 0.5.",
       .set = set_decimal(a.min_share, 0, 100)},
      {.names = "--demangle",
       .value = "LEVEL",
       .help = "Names of C++ and Rust functions: none (linker names), simple (without parameters "
               "and template arguments) or full. Default: simple.",
       .set = set_choice(a.demangle, {"none", "simple", "full"})},
      {.names = "--strict",
       .value = "",
       .help = "Exit with 5, after writing the report, when events were lost or the recorder was "
               "killed.",
       .set = set_flag(a.strict)},
      {.names = "--color",
       .value = "WHEN",
       .help = "Colours in the text report: auto (on a terminal, unless NO_COLOR is set), always "
               "or never. Default: auto.",
       .set = set_choice(a.color, {"auto", "always", "never"})},
  };
}

}  // namespace

Command make_report_command() {
  // Owned by the setters and by run together: they are copied with the Command.
  const auto arguments = std::make_shared<ReportArguments>();
  Command command;
  command.name = "report";
  command.usage = "report FILE [--format FORMAT] [-o OUT] [OPTIONS]";
  command.summary = "show a recording as tables, a flame graph or data";
  command.description =
      "Reads a recording and writes one report: functions with their latency, CPU stacks, memory "
      "and descriptors over time, and how complete the data is. Deeper views are one flag each; "
      "JSON always has everything. The recording is only read, and "
      "may also be one that is still being written or whose recorder was killed.";
  command.examples = {
      "callscope report run.cscope",
      "callscope report run.cscope --sort p99 --top 50",
      "callscope report run.cscope --callers='parse*' --histogram='parse*'",
      "callscope report run.cscope --format calltree",
      "callscope report run.cscope -o flame.svg",
      "callscope report run.cscope --format svg --weight latency -o latency.svg",
      "callscope report run.cscope --format svg --weight off-cpu -o waits.svg",
      "callscope report run.cscope --format heatmap -o heat.svg",
      "callscope report run.cscope --json --strict | jq '.functions[0]'",
  };
  command.options = report_option_table(*arguments);
  command.run = [arguments](const std::vector<std::string>&) { return run_report(*arguments); };
  return command;
}

}  // namespace callscope::cli
