// SPDX-License-Identifier: Apache-2.0
// The golden file is text_report.golden beside this file. After a wanted change of the report run
// "CALLSCOPE_UPDATE_GOLDEN=1 unit_report" and read the difference before committing it.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "model/function_table.hpp"
#include "realistic_recording.hpp"
#include "report/plain_text.hpp"
#include "report/renderer.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::find_renderer;
using callscope::Recording;
using callscope::render_text;
using callscope::ReportOptions;
using callscope::test::sample_recording;

namespace {

const std::string kGolden = CALLSCOPE_TEST_DATA "/unit/report/text_report.golden";

std::string golden() {
  std::ifstream file(kGolden);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string without_styles(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = text.find('m', i);
    } else {
      plain += text[i];
    }
  }
  return plain;
}

ReportOptions all_sections() {
  ReportOptions options;
  options.callers = options.histogram = options.heatmap = "*";
  options.per_thread = options.slow = true;
  return options;
}

}  // namespace

TEST_CASE("the text report of the sample recording is the golden one", "[unit]") {
  const std::string text = render_text(sample_recording(), all_sections());
  if (std::getenv("CALLSCOPE_UPDATE_GOLDEN") != nullptr) std::ofstream(kGolden) << text;
  CHECK(text == golden());
}

TEST_CASE("colours change nothing but colours", "[unit]") {
  const Recording recording = callscope::test::realistic_recording();
  ReportOptions options = all_sections();
  const std::string plain = render_text(recording, options);
  options.color = true;
  const std::string text = render_text(recording, options);
  CHECK(text != plain);
  CHECK(without_styles(text) == plain);
}

TEST_CASE("sections without data say why", "[unit]") {
  const std::string text = render_text(Recording{}, {});
  CHECK(text.contains("FUNCTIONS  none probed: choose some with record -f GLOB"));
  CHECK(text.contains("CPU  sampling was off: record with -F HZ"));
  CHECK(text.contains("RESOURCES  no snapshot was taken"));
  CHECK(text.contains("INCOMPLETE: unfinished = 1"));

  Recording recording = sample_recording();
  recording.cpu.clear();
  recording.functions.resize(1);
  recording.functions[0] = {};
  recording.functions[0].name = "idle";
  const std::string quiet = render_text(recording, {});
  CHECK(quiet.contains("no samples at 99 Hz: the process was never on CPU"));
  CHECK(quiet.contains("no probed function was called while recording"));
}

TEST_CASE("losses are said in the verdict", "[unit]") {
  Recording recording = sample_recording();
  recording.quality[0].value = 12;
  const std::string text = render_text(recording, {});
  CHECK(text.contains("INCOMPLETE: ring_full = 12: events lost because the ring buffer was full"));
  CHECK_FALSE(text.contains("complete: nothing was lost"));
}

TEST_CASE("tables are cut to --top and say how much is left out", "[unit]") {
  Recording recording = sample_recording();
  for (int i = 0; i < 50; ++i) {
    recording.functions.push_back(recording.functions[0]);
    recording.functions.back().name = "copy" + std::to_string(i);
  }
  ReportOptions options;
  options.top_functions = 5;
  const std::string text = render_text(recording, options);
  CHECK(text.contains("... and 48 more (--top 0 shows all)"));
  CHECK_FALSE(text.contains("copy40"));
  options.top_functions = 0;
  CHECK(render_text(recording, options).contains("copy40"));
}

TEST_CASE("every section fits the width, however long the names are", "[unit]") {
  Recording recording = callscope::test::realistic_recording();
  recording.functions[0].name = std::string(500, 'n') + "::the_end";
  recording.frames[3].function = std::string(300, 'f');
  recording.target.cmdline = std::string(4000, 'c');
  recording.notes.clear();
  for (const std::size_t width : {80U, 100U, 120U, 160U}) {
    ReportOptions options = all_sections();
    options.width = width;
    const std::string text = render_text(recording, options);
    std::istringstream lines(text.substr(0, text.find("QUALITY")));
    for (std::string line; std::getline(lines, line);) {
      INFO(line);
      CHECK(callscope::text_width(line) <= width);
    }
    CHECK(text.contains("nn..."));
    CHECK(text.contains("::the_end"));
  }
}

TEST_CASE("a recursion is written once, with how often it stands there", "[unit]") {
  Recording recording = sample_recording();
  const std::uint32_t leaf = 0, outer = 1;
  recording.stacks.push_back({static_cast<std::uint32_t>(recording.stacks.size()),
                              {leaf, outer, outer, outer, leaf, outer},
                              false});
  recording.cpu.push_back({recording.stacks.back().id, 4242, 4242, 100'000, 0});
  const auto name = [&](std::uint32_t frame) { return recording.frames[frame].function; };
  CHECK(render_text(recording, {})
            .contains(name(leaf) + " < " + name(outer) + " x3 < " + name(leaf) + " < " +
                      name(outer) + "\n"));
}

TEST_CASE("columns give way to names where room is short, the sorted one stays", "[unit]") {
  const Recording recording = callscope::test::realistic_recording();
  ReportOptions options;
  options.width = 200;
  CHECK(render_text(recording, options)
            .contains("  on-cpu  blocked    runq     avg     p50     p90"));
  options.width = 80;
  CHECK_FALSE(render_text(recording, options).contains("runq"));
  options.sort = "runq";
  CHECK(render_text(recording, options).contains("  runq"));
  options.sort = "threw";
  CHECK(render_text(recording, options).contains("  threw"));
  options.wide = true;
  for (const auto* const column : {"self-cpu", "p90", "p99.9", "skipped", "in probes", "site"}) {
    CHECK(render_text(recording, options).contains(column));
  }
}

TEST_CASE("what is special about a function is said beside it", "[unit]") {
  Recording recording = callscope::test::realistic_recording();
  const std::string text = render_text(recording, {});
  CHECK(text.contains("exit: ret-site"));
  CHECK(text.contains("co_switch_stacks  [entry-only]"));
  CHECK(text.contains("^ one in 64 timed, timed until 1.20s, detached at 3.40s"));
  CHECK(text.contains("343 threw (6.6%)"));
  CHECK(text.contains("partly inlined (3 places)"));
  CHECK(text.contains("  ~1.92s  ~1.92s "));
  CHECK(text.contains("~ an estimate of its time on CPU"));
  ReportOptions narrow;
  narrow.width = 80;
  CHECK(render_text(recording, narrow).contains("probes 820ns!"));
  recording.off_cpu_split = false;
  CHECK(render_text(recording, {}).contains("were not measured in this recording"));
  CHECK_FALSE(render_text(recording, {}).contains("  blocked  "));
}

TEST_CASE("escape sequences of the target do not reach the terminal", "[unit]") {
  Recording recording = sample_recording();
  recording.target.comm = recording.target.cmdline = recording.target.exe = "\x1b]0;owned\x07";
  recording.functions[0].name = recording.frames[3].function = "\x1b[2J";
  recording.host.hostname = recording.notes[0] = recording.quality[0].meaning = "\x1b[2J";
  recording.modules[1].path = recording.modules[1].build_id = "\x1b[2J";
  recording.tool_version = recording.sample_event = recording.probe_mechanism = "\x1b[2J";
  recording.target.ended_by = recording.host.cpu_model = "\x1b[2J";
  recording.processes[1].comm = recording.threads[0].comm = recording.threads[1].comm = "\x1b[2J";
  CHECK_FALSE(render_text(recording, all_sections()).contains("\x1b"));
  CHECK_FALSE(callscope::render_call_tree(recording, {}).contains("\x1b"));
}

TEST_CASE("every format is in the table once and renders an empty recording", "[unit]") {
  for (const auto* const name : {"text", "json", "folded", "svg", "csv", "calltree", "heatmap"}) {
    REQUIRE(find_renderer(name) != nullptr);
    find_renderer(name)->render(Recording{}, {});
  }
  CHECK(callscope::renderers().size() == 7);
  CHECK(find_renderer("pdf") == nullptr);
}
