// SPDX-License-Identifier: Apache-2.0
// The views that one flag opens: call tree, callers, histograms, heat maps, slow calls, threads.
#include <catch2/catch.hpp>
#include <sstream>

#include "realistic_recording.hpp"
#include "report/renderer.hpp"
#include "tests/unit/sample_recording.hpp"

using callscope::CallNode;
using callscope::Recording;
using callscope::render_call_tree;
using callscope::render_heat_map;
using callscope::render_text;
using callscope::ReportOptions;
using callscope::test::realistic_recording;
using callscope::test::sample_recording;

namespace {

// The section of the text report that begins with title, up to the next blank line and capital.
std::string section(const Recording& recording, const ReportOptions& options,
                    const std::string& title) {
  const std::string text = render_text(recording, options);
  const std::size_t begin = text.find("\n" + title);
  REQUIRE(begin != std::string::npos);
  return text.substr(begin + 1, text.find("\nCPU", begin) - begin);
}

}  // namespace

TEST_CASE("the call tree is drawn with shares, and small calls are summed up", "[unit]") {
  ReportOptions options;
  options.tree_min_percent = 0;
  CHECK(render_call_tree(sample_recording(), options) ==
        "CALL TREE  3.29ms in probed functions of redis-server (4242), 5.00s\n"
        "   total  share    self  blocked  calls     max  unwound  function\n"
        "  1.99ms  60.5%  1.30ms            1990  2.20us       10  setCommand\n"
        "   694us  21.1%   400us    200us    397  61.0us           `- getCommand\n"
        "  1.30ms  39.5%   750us    300us    590  40.0us        1  getCommand\n"
        "                 50.0us              10  8.00us           `- getCommand (recursive)\n"
        "  calls are the timed ones; of functions that were sampled there were more\n");
  options.tree_depth = 1;
  CHECK(render_call_tree(sample_recording(), options).contains("`- ... 1 more\n"));
  CHECK(render_call_tree(sample_recording(), options).contains("   694us  21.1%  "));
  options.tree_depth = 0;
  options.tree_min_percent = 50;
  CHECK(render_call_tree(sample_recording(), options).contains("1.30ms  39.5%"));
  CHECK(render_call_tree(sample_recording(), options).contains("... 2 more"));
  CHECK(render_call_tree(Recording{}, {}).contains("no probed call was timed"));
}

TEST_CASE("a tree of a thousand levels is drawn within the width", "[unit]") {
  Recording recording = sample_recording();
  recording.call_nodes.clear();
  for (std::uint32_t id = 0; id < 1000; ++id) {
    recording.call_nodes.push_back({.id = id,
                                    .parent = id == 0 ? CallNode::kNoParent : id - 1,
                                    .function = 0,
                                    .calls = 1,
                                    .total_ns = 1000,
                                    .self_ns = 1});
  }
  std::istringstream lines(render_call_tree(recording, {}));
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 120);
}

TEST_CASE("callers stand below their callee with their share", "[unit]") {
  ReportOptions options;
  options.callers = "get*";
  const std::string text = section(sample_recording(), options, "CALLERS");
  CHECK(
      text.contains("    997  1.99ms         1.20ms  61.0us  getCommand\n"
                    "    590  1.30ms  65.2%   750us  40.0us    < (no probed function above)\n"
                    "    397   694us  34.8%   400us  61.0us    < setCommand\n"
                    "     10     0ns   0.0%  50.0us  8.00us    < itself\n"));
  CHECK_FALSE(text.contains("1990"));
  options.callers = "none*";
  CHECK(render_text(sample_recording(), options).contains("no function matches none*"));
  CHECK(render_text(Recording{}, options).contains("the recording has no call tree"));
}

TEST_CASE("a histogram has every call in a row and marks the percentiles", "[unit]") {
  ReportOptions options;
  options.histogram = "db::Connection::query";
  const std::string text = section(realistic_recording(), options, "HISTOGRAMS");
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  std::getline(lines, line);
  CHECK(line == "  db::Connection::query  4607 calls");
  std::getline(lines, line);  // titles
  std::uint64_t calls = 0;
  std::size_t rows = 0;
  std::string low;
  for (std::uint64_t count = 0; lines >> low >> count && std::getline(lines, line); ++rows)
    calls += count;
  CHECK(calls == 4607);
  CHECK(rows <= 24);
  for (const auto* const mark : {"# < p50\n", "# < p95\n", "# < p99\n", "# < p99.9\n"}) {
    CHECK(text.contains(mark));
  }
  options.histogram = "libc*:*";
  CHECK(section(realistic_recording(), options, "HISTOGRAMS").contains("libc.so.6:malloc"));
  CHECK(section(realistic_recording(), options, "HISTOGRAMS").contains("timed, scaled up to"));
  options.histogram = "co_switch*";
  CHECK(
      render_text(realistic_recording(), options).contains("no timed function matches co_switch*"));
}

TEST_CASE("a heat map in text shows when it got slow", "[unit]") {
  ReportOptions options;
  options.heatmap = "db::Connection::query";
  options.width = 80;
  const std::string text = section(realistic_recording(), options, "HEAT MAPS");
  CHECK(text.contains("db::Connection::query  4607 calls, a column is 1 s"));
  std::istringstream lines(text);
  bool found = false;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("    8.39ms |")) continue;
    found = true;
    const std::string row = line.substr(12, 60);
    for (std::size_t second = 25; second < 38; ++second) CHECK(row[second] != ' ');
    CHECK(row.substr(0, 25).find_first_of("*#%@") == std::string::npos);
  }
  CHECK(found);
  options.heatmap = "co_*";
  CHECK(render_text(realistic_recording(), options).contains("no latency over time was kept"));
}

TEST_CASE("slow calls are listed with where and why", "[unit]") {
  ReportOptions options;
  options.slow = true;
  const std::string text = section(sample_recording(), options, "SLOW CALLS");
  CHECK(text.contains("SLOW CALLS  3 logged, the slowest first\n"));
  CHECK(text.contains("      2   106us   61.0us  51.0us   50.0us  5.00us  getCommand\n"));
  CHECK(text.contains(
      "  4.10s    61.0us  41.0us   20.0us     0ns  redis-server (4242)    getCommand"));
  CHECK(text.contains(
      "from main < __libc_start_call_main < _start, args 0x0, 0x1, 0x2, 0x3, 0x4, ?"));
  CHECK(text.contains("args 0x7f00deadbeef, ?, 0xffffffffffffffff"));
  options.top_cpu_functions = 1;
  CHECK(render_text(sample_recording(), options).contains("... and 2 more (--top 0 shows all)"));
  CHECK(render_text(Recording{}, options).contains("none was logged"));
  Recording watched;
  watched.quality.push_back({"slow_calls_dropped", 0, true, ""});
  CHECK(render_text(watched, options).contains("no call took as long as record --slow said"));
}

TEST_CASE("calls by thread, or samples by thread where calls were not kept so", "[unit]") {
  ReportOptions options;
  options.per_thread = true;
  Recording recording = sample_recording();
  const std::string text = section(recording, options, "THREADS");
  CHECK(text.contains("bio_close_file (4243), 51 samples\n"));
  CHECK(text.contains("    907  1.69ms   950us"));
  recording.calls_by_thread = false;
  const std::string samples = section(recording, options, "THREADS");
  CHECK(samples.contains("calls were not kept by thread"));
  CHECK(samples.contains("     51   10.3%  bio_close_file (4243)\n"));
}

TEST_CASE("the heat map picture has a panel for each function", "[unit]") {
  ReportOptions options;
  const std::string svg = render_heat_map(realistic_recording(), options);
  CHECK(svg.contains("callscope: webshop (7300) - latency over time, 60.0 s"));
  CHECK(svg.contains(">db::Connection::query</text>"));
  CHECK_FALSE(svg.contains("http::Router::match"));  // not among the five with most time
  options.heatmap = "http::Router*";
  CHECK(render_heat_map(realistic_recording(), options).contains("http::Router::match"));
  options.heatmap = "none";
  CHECK(render_heat_map(realistic_recording(), options)
            .contains("No latency over time was recorded"));
}
