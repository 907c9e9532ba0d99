// SPDX-License-Identifier: Apache-2.0
#include "report/text_stack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "report/frame_label.hpp"
#include "report/plain_text.hpp"

namespace callscope {

std::string stack_line(const Recording& recording, std::span<const std::uint32_t> frames,
                       bool truncated, std::size_t width, bool with_lines) {
  std::string line, last;
  std::size_t repeated = 0;  // how often last has stood there: recursion is written once
  const auto end_run = [&] {
    if (repeated > 1) line += fmt::format(" x{}", repeated);
  };
  for (const std::uint32_t id : frames) {
    const Frame& frame = recording.frames[id];
    std::string text = printable(frame_label(recording, frame));
    if (const std::string at = line_label(frame.file, frame.line); with_lines && !at.empty())
      text += " " + printable(at);
    if (repeated > 0 && text == last) {
      ++repeated;
      continue;
    }
    end_run();
    line += (line.empty() ? "" : " < ") + text;
    last = std::move(text);
    repeated = 1;
    if (line.size() > 4 * width) break;  // will be cut anyway
  }
  end_run();
  if (line.empty()) line = "[no stack]";
  if (truncated) line += " < ...";
  return cut_end(line, width);
}

bool is_kernel(const Recording& recording, const Frame& frame) {
  return recording.modules[frame.module].kind == ModuleKind::kKernel;
}

std::string user_stack_line(const Recording& recording, const Stack& stack, std::size_t width,
                            bool with_lines) {
  const auto user = std::ranges::find_if(stack.frames, [&](std::uint32_t frame) {
    return !is_kernel(recording, recording.frames[frame]);
  });
  return stack_line(recording, {user, stack.frames.end()}, stack.truncated, width, with_lines);
}

}  // namespace callscope
