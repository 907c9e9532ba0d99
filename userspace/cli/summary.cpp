// SPDX-License-Identifier: Apache-2.0
#include "cli/summary.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/terminal.hpp"
#include "model/quality.hpp"
#include "report/renderer.hpp"
#include "symbols/demangle.hpp"

namespace callscope::cli {

void print_summary(const Recording& recording) {
  Recording shown = recording;
  demangle_names(shown, DemangleLevel::kSimple);
  ReportOptions options;
  options.color = use_color(STDOUT_FILENO);
  options.width = report_width(STDOUT_FILENO);
  // fputs, since fmt::print throws when the write fails, and more is to be done; main notices it.
  std::fputs(render_text(shown, options).c_str(), stdout);
  std::fflush(stdout);  // before what follows on standard error
}

bool report_incomplete(const Recording& recording) {
  const std::vector<std::string> reasons = incompleteness(quality_items(recording));
  for (const std::string& reason : reasons)
    fmt::print(stderr, "callscope: the recording is incomplete: {}\n", reason);
  return !reasons.empty();
}

}  // namespace callscope::cli
