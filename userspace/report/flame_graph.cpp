// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <string>
#include <vector>

#include "flamegraph/svg.hpp"
#include "flamegraph/tree.hpp"
#include "model/quality.hpp"
#include "report/folded_stacks.hpp"
#include "report/plain_text.hpp"
#include "report/renderer.hpp"

namespace callscope {

std::string render_flame_graph(const Recording& recording, const ReportOptions& /*options*/) {
  const std::vector<FoldedStack> stacks = folded_stacks(recording);
  const FrameTree tree = FrameTree::build(stacks);
  SvgOptions svg;
  svg.title =
      fmt::format("callscope: {} ({}) - on-CPU, {} Hz, {:.1f} s, {} samples",
                  printable(recording.target.comm), recording.target.pid, recording.sample_hz,
                  static_cast<double>(recording.duration_ns) / 1e9, tree.total());
  svg.subtitle = printable(recording.target.cmdline);
  if (tree.total() == 0) svg.notes.emplace_back("No CPU samples: the process was never on CPU.");
  for (const std::string& reason : incompleteness(quality_items(recording))) {
    svg.notes.push_back("INCOMPLETE: " + printable(reason));
  }
  return render_svg(tree, svg);
}

}  // namespace callscope
