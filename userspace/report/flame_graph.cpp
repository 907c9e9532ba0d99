// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "flamegraph/svg.hpp"
#include "flamegraph/tree.hpp"
#include "model/quality.hpp"
#include "report/folded_stacks.hpp"
#include "report/frame_label.hpp"
#include "report/plain_text.hpp"
#include "report/renderer.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

// "callscope: redis-server (4242)"
std::string title_start(const Recording& recording) {
  return fmt::format("callscope: {} ({})", printable(recording.target.comm), recording.target.pid);
}

double seconds(const Recording& recording) {
  return static_cast<double>(recording.duration_ns) / 1e9;
}

// By frame: the line that most of its samples lie on, or call from.
std::map<std::string, std::string> hottest_lines(const Recording& recording, SampleSet set) {
  std::map<std::string, std::map<std::string, std::uint64_t>> weights;
  for (const CpuSamples& samples : recording.cpu) {
    const std::uint64_t count = samples_in(samples, set);
    if (count == 0) continue;
    for (const std::uint32_t id : recording.stacks[samples.stack].frames) {
      const Frame& frame = recording.frames[id];
      if (const std::string line = line_label(frame.file, frame.line); !line.empty())
        weights[folded_label(recording, frame)][line] += count;
    }
  }
  std::map<std::string, std::string> hottest;
  for (const auto& [name, lines] : weights) {
    const auto most =
        std::ranges::max_element(lines, {}, [](const auto& line) { return line.second; });
    hottest[name] = (lines.size() > 1 ? "most at " : "at ") + most->first;
  }
  return hottest;
}

SvgOptions cpu_options(const Recording& recording, const FrameTree& tree, SampleSet set) {
  SvgOptions svg;
  const bool slow = set == SampleSet::kSlow;
  svg.title =
      fmt::format("{} - on-CPU{}, {} Hz, {:.1f} s, {} samples", title_start(recording),
                  slow ? fmt::format(" inside {} slow calls", recording.slow_calls.size()) : "",
                  recording.sample_hz, seconds(recording), tree.total());
  if (tree.total() == 0) {
    svg.notes.emplace_back(slow ? "No CPU samples inside slow calls."
                                : "No CPU samples: the process was never on CPU.");
  }
  return svg;
}

SvgOptions latency_options(const Recording& recording, const FrameTree& tree) {
  SvgOptions svg;
  svg.title = fmt::format("{} - time in probed functions, on and off CPU, {} of calls in {:.1f} s",
                          title_start(recording), format_ns(tree.total()), seconds(recording));
  svg.unit = "ns";
  svg.notes.emplace_back(tree.total() == 0
                             ? "No probed call was timed."
                             : "Widths are exact call times, waiting included; only probed "
                               "functions are in the picture.");
  return svg;
}

SvgOptions wait_options(const Recording& recording, const FrameTree& tree) {
  SvgOptions svg;
  svg.title = fmt::format("{} - off CPU, {} of waits of all threads in {:.1f} s",
                          title_start(recording), format_ns(tree.total()), seconds(recording));
  svg.unit = "ns";
  svg.notes.emplace_back(tree.total() > 0 ? "Widths are time between leaving a CPU and having one "
                                            "again, asleep or ready."
                         : recording.off_cpu ? "No waits: no thread left its CPU and came back."
                                             : "Waits were not recorded: record --off-cpu.");
  return svg;
}

SvgOptions fault_options(const Recording& recording, const FrameTree& tree) {
  SvgOptions svg;
  svg.title = fmt::format("{} - {} page faults in {:.1f} s", title_start(recording), tree.total(),
                          seconds(recording));
  svg.unit = "page faults";
  svg.notes.emplace_back(tree.total() > 0 ? "Widths are touches of memory that was not there "
                                            "yet: where memory grows."
                         : recording.page_faults ? "No page faults: no new memory was touched."
                                                 : "Page faults were not recorded: record "
                                                   "--page-faults.");
  return svg;
}

SvgOptions svg_options(const Recording& recording, const FrameTree& tree,
                       const ReportOptions& options) {
  if (options.weight == StackWeight::kLatency) return latency_options(recording, tree);
  if (options.weight == StackWeight::kOffCpu) return wait_options(recording, tree);
  if (options.weight == StackWeight::kPageFaults) return fault_options(recording, tree);
  SvgOptions svg = cpu_options(recording, tree, options.samples);
  if (!options.lines) svg.hints = hottest_lines(recording, options.samples);
  return svg;
}

// Share of the picture that stands on kCutLabel, as a note; empty: none.
std::string cut_note(const std::vector<FoldedStack>& stacks, std::uint64_t total) {
  std::uint64_t cut = 0;
  for (const FoldedStack& stack : stacks)
    if (stack.frames.size() > 1 && stack.frames[1] == kCutLabel) cut += stack.weight;
  if (cut == 0) return {};
  return fmt::format("{}: the outer callers of {} are not known.", kCutLabel,
                     format_percent(static_cast<double>(cut), static_cast<double>(total)));
}

}  // namespace

std::string render_flame_graph(const Recording& recording, const ReportOptions& options) {
  const std::vector<FoldedStack> stacks = weighted_stacks(recording, options);
  const FrameTree tree = FrameTree::build(stacks);
  SvgOptions svg = svg_options(recording, tree, options);
  if (std::string note = cut_note(stacks, tree.total()); !note.empty())
    svg.notes.push_back(std::move(note));
  svg.subtitle = printable(recording.target.cmdline);
  for (const std::string& reason : incompleteness(quality_items(recording))) {
    svg.notes.push_back("INCOMPLETE: " + printable(reason));
  }
  return render_svg(tree, svg);
}

}  // namespace callscope
