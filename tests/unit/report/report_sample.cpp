// SPDX-License-Identifier: Apache-2.0
// report_sample KIND [FORMAT [WIDTH [SECTIONS]]]: a recording that tests use, in any format, for
// programs that are not ours and for eyes. KIND: sample, empty or realistic. SECTIONS: text with
// every section.
#include <cstdio>
#include <string>
#include <string_view>

#include "realistic_recording.hpp"
#include "report/renderer.hpp"
#include "sys/parse_number.hpp"
#include "tests/unit/sample_recording.hpp"

int main(int argc, char** argv) {
  const std::string_view kind = argc > 1 ? argv[1] : "sample";
  const callscope::Recording recording = kind == "empty" ? callscope::Recording{}
                                         : kind == "realistic"
                                             ? callscope::test::realistic_recording()
                                             : callscope::test::sample_recording();
  const callscope::Renderer* const renderer = callscope::find_renderer(argc > 2 ? argv[2] : "json");
  if (renderer == nullptr) return 2;
  callscope::ReportOptions options;
  if (argc > 3) options.width = callscope::parse_number<std::size_t>(argv[3]).value_or(120);
  const std::string_view extra = argc > 4 ? argv[4] : "";
  if (extra == "sections") {
    options.callers = options.histogram = options.heatmap = "*";
    options.per_thread = options.slow = true;
  }
  options.wide = extra == "wide";
  options.color = extra == "color";
  if (options.color) options.heatmap = "*";
  if (extra == "latency") options.weight = callscope::StackWeight::kLatency;
  if (extra == "slow") options.samples = callscope::SampleSet::kSlow;
  const std::string text = renderer->render(recording, options);
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
