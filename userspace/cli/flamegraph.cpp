// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/invoking_user.hpp"
#include "flamegraph/folded.hpp"
#include "flamegraph/svg.hpp"
#include "flamegraph/tree.hpp"
#include "store/document_file.hpp"
#include "sys/read_file.hpp"

namespace callscope::cli {
namespace {

constexpr std::size_t kMaxInputBytes = std::size_t{4} << 30;

struct FlamegraphOptions {
  std::string input;  // empty: standard input, unless that is a terminal
  std::string output = "-";
  std::string title = "Flame graph";
  std::string subtitle;
  std::string unit = "samples";
  std::uint64_t width_px = 1200;
  double min_width_px = 0.1;
  bool reverse = false;
  bool icicle = false;
};

Result<std::string> read_stdin() {
  std::string text;
  std::array<char, 65536> chunk{};
  while (true) {
    const ssize_t got = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    const int error = errno;
    if (got == 0) return text;
    if (got < 0 && error == EINTR) continue;
    if (got < 0) return fail(ErrorCode::kIo, "cannot read standard input", {}, error);
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxInputBytes) {
      return fail(ErrorCode::kCorrupt, "standard input is larger than 4 GiB",
                  "merge equal stacks first, as stackcollapse tools do");
    }
  }
}

bool is_stdin(const std::string& input) { return input.empty() || input == "-"; }

std::string input_name(const std::string& input) {
  return is_stdin(input) ? "standard input" : input;
}

Result<std::string> read_input(const std::string& input) {
  if (!is_stdin(input)) return read_file(input, kMaxInputBytes);
  if (input.empty() && ::isatty(STDIN_FILENO) == 1) {
    return fail(ErrorCode::kUsage, "no folded stacks: standard input is a terminal",
                "name a file or pipe them in; - reads the terminal all the same");
  }
  return read_stdin();
}

Result<void> write_output(const std::string& path, const std::string& svg) {
  if (path == "-") return write_all(STDOUT_FILENO, svg, "standard output");
  return write_document(path, svg, invoking_user());
}

void report_skipped(const FoldedStats& stats) {
  if (stats.skipped == 0) return;
  fmt::print(stderr, "callscope: skipped {} of {} lines; the first is line {}: {}\n", stats.skipped,
             stats.lines, stats.first_skipped_line, stats.first_skipped_reason);
}

Result<int> run_flamegraph(const FlamegraphOptions& options) {
  if (options.output == "-" && ::isatty(STDOUT_FILENO) == 1) {
    return fail(ErrorCode::kUsage, "will not write an SVG to a terminal",
                "name a file with -o flame.svg, or redirect standard output");
  }
  const Result<std::string> text = read_input(options.input);
  if (!text) return std::unexpected(text.error());
  FoldedStats stats;
  Result<std::vector<FoldedStack>> stacks = parse_folded(*text, &stats);
  if (!stacks) {
    Error error = stacks.error();
    error.what = input_name(options.input) + ": " + error.what;
    return std::unexpected(error);
  }
  report_skipped(stats);

  SvgOptions svg;
  svg.title = options.title;
  svg.subtitle = options.subtitle;
  svg.unit = options.unit;
  svg.width_px = static_cast<double>(options.width_px);
  svg.min_width_px = options.min_width_px;
  svg.icicle = options.icicle;
  if (stats.skipped != 0) {
    svg.notes.push_back(fmt::format("{} of {} input lines were malformed and skipped.",
                                    stats.skipped, stats.lines));
  }
  const MergeFrom from = options.reverse ? MergeFrom::kLeaf : MergeFrom::kRoot;
  CS_TRY(write_output(options.output, render_svg(FrameTree::build(*stacks, from), svg)));
  return kExitOk;
}

}  // namespace

Command make_flamegraph_command() {
  // Owned by the setters and by run together: they are copied with the Command.
  const auto options = std::make_shared<FlamegraphOptions>();
  Command command;
  command.name = "flamegraph";
  command.usage = "flamegraph [FOLDED|-] [-o OUT.svg] [OPTIONS]";
  command.summary = "draw folded stacks of any profiler as an interactive SVG";
  command.description =
      "Reads folded stacks, one \"main;work;read 42\" a line as written by callscope report "
      "--format "
      "folded, bcc's -f and FlameGraph's stackcollapse tools, and writes one self-contained SVG: "
      "click a frame to zoom, / to search, i for an icicle, t for dark or light.\n\n"
      "Malformed lines are counted, reported and left out.";
  command.examples = {
      "callscope report run.cscope --format folded | callscope flamegraph -o flame.svg",
      "perf script | stackcollapse-perf.pl | callscope flamegraph --title redis -o redis.svg",
      "offcputime-bpfcc -f 10 | callscope flamegraph --unit us --icicle -o offcpu.svg",
  };
  command.options = {
      {.names = "FOLDED",
       .value = "FILE",
       .help = "The folded stacks; - or nothing reads standard input.",
       .set = set_text(options->input)},
      {.names = "-o,--output",
       .value = "FILE",
       .help =
           "Write the SVG to FILE, whole or not at all; - or nothing is standard output, if it is "
           "no terminal.",
       .set = set_text(options->output)},
      {.names = "--title",
       .value = "TEXT",
       .help = "Heading of the picture. Default: Flame graph.",
       .set = set_text(options->title)},
      {.names = "--subtitle",
       .value = "TEXT",
       .help = "Second line of the heading, such as host and duration. Default: none.",
       .set = set_text(options->subtitle)},
      {.names = "--unit",
       .value = "NAME",
       .help = "What the weights count. ns, us, ms, s and bytes are shown with a scale, any other "
               "name as it is. Default: samples.",
       .set = set_text(options->unit)},
      {.names = "--width",
       .value = "PX",
       .help = "Width of the still picture, 320 to 10000; a browser fits it to the window. "
               "Default: 1200.",
       .set = set_number(options->width_px, 320, 10000)},
      {.names = "--minwidth",
       .value = "PX",
       .help = "Leave out frames narrower than this, 0 to 100; the picture says how much that is. "
               "Default: 0.1.",
       .set = set_decimal(options->min_width_px, 0, 100)},
      {.names = "--reverse",
       .value = "",
       .help = "Merge stacks from the leaf: who leads to a function, rather than what it calls.",
       .set = set_flag(options->reverse)},
      {.names = "--icicle",
       .value = "",
       .help = "Put the root on top.",
       .set = set_flag(options->icicle)},
  };
  command.run = [options](const std::vector<std::string>&) { return run_flamegraph(*options); };
  return command;
}

}  // namespace callscope::cli
