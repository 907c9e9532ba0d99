// SPDX-License-Identifier: Apache-2.0
// Inlined functions and lines in each format.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "model/inlined_frames.hpp"
#include "report/renderer.hpp"
#include "tests/unit/sample_recording.hpp"

using namespace callscope;
using callscope::test::add_inlined_frame;
using callscope::test::sample_recording;
using nlohmann::json;

namespace {

Recording with_inlined() {
  Recording recording = sample_recording();
  add_inlined_frame(recording);
  return recording;
}

}  // namespace

TEST_CASE("an inlined function is a frame of its own, marked as flamegraph.pl knows it", "[unit]") {
  const std::string text = render_folded(with_inlined(), {});
  CHECK(text.contains("main;getCommand;lookupKey_[i] 300\n"));
  CHECK(text.contains("main;getCommand;tcp_sendmsg_[k] 120\n"));
}

TEST_CASE("with lines each frame has its place, which keeps places apart", "[unit]") {
  ReportOptions options;
  options.lines = true;
  Recording recording = with_inlined();
  recording.frames.push_back(recording.frames[7]);
  recording.frames[8].id = 8;
  recording.frames[8].line = 78;
  recording.stacks.push_back({4, {8, 3, 0, 1, 2}, false});
  recording.cpu.push_back({4, 4242, 4242, 7, 0});
  const std::string text = render_folded(recording, options);
  const std::string callers = ";_start;__libc_start_call_main;main (server.c:7000);";
  CHECK(text.contains(callers + "getCommand (t_string.c:96);lookupKey (db.c:77)_[i] 300\n"));
  CHECK(text.contains(callers + "getCommand (t_string.c:96);lookupKey (db.c:78)_[i] 7\n"));
  CHECK(
      render_text(recording, options)
          .contains("lookupKey (inlined) db.c:77 < getCommand t_string.c:96 < main server.c:7000"));
}

TEST_CASE("tables and stacks of the text say what was inlined", "[unit]") {
  const std::string text = render_text(with_inlined(), {});
  CHECK(text.contains("  lookupKey (inlined)\n"));
  CHECK(text.contains("lookupKey (inlined) < getCommand < main"));
  CHECK_FALSE(text.contains("db.c"));
}

TEST_CASE("callers have their lines when lines are asked for", "[unit]") {
  ReportOptions options;
  options.lines = true;
  options.callers = "*";
  options.width = 200;
  CHECK(render_text(sample_recording(), options).contains("getCommand t_string.c:82"));
}

TEST_CASE("JSON marks inlined frames and has file and line of all", "[unit]") {
  const json report = json::parse(render_json(with_inlined(), {}));
  const json& stack = report["cpu"]["stacks"][0];
  CHECK(stack["frames"] ==
        json({"_start", "__libc_start_call_main", "main", "getCommand", "lookupKey_[i]"}));
  CHECK(stack["lines"] ==
        json({nullptr, nullptr, "/src/server.c:7000", "/src/t_string.c:96", "/src/db.c:77"}));
  std::size_t inlined = 0;
  for (const json& function : report["cpu"]["functions"]) {
    if (!function["inlined"].get<bool>()) continue;
    ++inlined;
    CHECK(function["name"] == "lookupKey");
    CHECK(function["self"] == 311);
  }
  CHECK(inlined == 1);
  CHECK(report["functions"][0]["file"] == "/src/t_string.c");
  CHECK(report["functions"][0]["line"] == 82);
}

TEST_CASE("the flame graph colours inlined frames and tells the hottest line", "[unit]") {
  Recording recording = with_inlined();
  const std::string svg = render_flame_graph(recording, {});
  CHECK(svg.contains(">inlined</text>"));  // in the legend
  CHECK(svg.contains("<title>lookupKey_[i]\n"));
  CHECK(svg.contains("\nat db.c:77</title>"));
  recording.frames[5].function = "lookupKey";  // of less weight
  recording.frames[5].inline_depth = 1;
  recording.frames[5].file = "/src/db.c";
  recording.frames[5].line = 5;
  CHECK(render_flame_graph(recording, {}).contains("\nmost at db.c:77</title>"));
}

TEST_CASE("without inlined functions every format is as if there were none", "[unit]") {
  Recording recording = with_inlined();
  remove_inlined_frames(recording);
  CHECK(recording == sample_recording());
}
