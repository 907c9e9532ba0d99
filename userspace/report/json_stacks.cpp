// SPDX-License-Identifier: Apache-2.0
#include "report/json_stacks.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "callscope/names.hpp"
#include "model/wait_summary.hpp"
#include "report/frame_label.hpp"

namespace callscope {
Json stack_json(const Recording& recording, const Stack& stack) {
  Json frames = Json::array();
  Json lines = Json::array();
  for (auto id = stack.frames.rbegin(); id != stack.frames.rend(); ++id) {
    const Frame& frame = recording.frames[*id];
    frames.push_back(folded_label(recording, frame));
    lines.push_back(frame.file.empty() ? Json(nullptr)
                                       : Json(frame.file + ":" + std::to_string(frame.line)));
  }
  return {{"frames", std::move(frames)},
          {"lines", std::move(lines)},
          {"truncated", stack.truncated},
          {"end", name_of(stack.end)}};
}

Json off_cpu_json(const Recording& recording) {
  std::vector<Waits> waits = recording.waits;
  std::erase_if(waits, [](const Waits& w) { return w.count == 0; });
  std::ranges::stable_sort(waits, std::greater{}, &Waits::ns);
  const WaitSums all = summarize_waits(recording).all;
  Json stacks = Json::array();
  for (const Waits& w : waits) {
    Json stack = stack_json(recording, recording.stacks[w.stack]);
    stack.update({{"pid", w.pid},
                  {"tid", w.tid},
                  {"count", w.count},
                  {"blocked_ns", w.blocked_ns},
                  {"runq_ns", w.runq_ns}});
    stacks.push_back(std::move(stack));
  }
  return {{"recorded", recording.off_cpu},
          {"waits", all.count},
          {"blocked_ns", all.blocked_ns},
          {"runq_ns", all.runq_ns},
          {"stacks", std::move(stacks)}};
}

Json page_faults_json(const Recording& recording) {
  std::vector<PageFaults> rows = recording.faults;
  std::erase_if(rows, [](const PageFaults& f) { return f.count == 0; });
  std::ranges::stable_sort(rows, std::greater{}, &PageFaults::count);
  std::uint64_t all = 0;
  Json stacks = Json::array();
  for (const PageFaults& f : rows) {
    all += f.count;
    Json stack = stack_json(recording, recording.stacks[f.stack]);
    stack.update({{"pid", f.pid}, {"tid", f.tid}, {"count", f.count}});
    stacks.push_back(std::move(stack));
  }
  return {{"recorded", recording.page_faults}, {"faults", all}, {"stacks", std::move(stacks)}};
}

}  // namespace callscope
