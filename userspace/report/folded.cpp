// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "report/folded_stacks.hpp"
#include "report/frame_label.hpp"
#include "report/renderer.hpp"

namespace callscope {
namespace {

using ThreadId = std::pair<std::int32_t, std::int32_t>;  // pid, tid

std::vector<std::string> fold(const std::string& comm, const Stack& stack,
                              const std::vector<std::string>& labels) {
  std::vector<std::string> frames = {comm};
  for (auto id = stack.frames.rbegin(); id != stack.frames.rend(); ++id) {
    frames.push_back(labels[*id]);
  }
  if (stack.frames.empty()) frames.emplace_back("[no stack]");
  return frames;
}

}  // namespace

std::vector<FoldedStack> folded_stacks(const Recording& recording) {
  std::vector<std::string> labels;
  labels.reserve(recording.frames.size());
  for (const Frame& frame : recording.frames) labels.push_back(folded_label(recording, frame));
  std::map<ThreadId, std::string> comms;
  for (const Thread& thread : recording.threads) {
    comms[{thread.pid, thread.tid}] = folded_text(thread.comm);
  }
  std::map<std::vector<std::string>, std::uint64_t> weights;
  const std::string& target = recording.target.comm;
  const std::string fallback = target.empty() ? "[unknown]" : folded_text(target);
  for (const CpuSamples& samples : recording.cpu) {
    const auto comm = comms.find({samples.pid, samples.tid});
    const bool known = comm != comms.end() && !comm->second.empty();
    weights[fold(known ? comm->second : fallback, recording.stacks[samples.stack], labels)] +=
        samples.count;
  }
  std::vector<FoldedStack> stacks;
  stacks.reserve(weights.size());
  for (const auto& [frames, weight] : weights) stacks.push_back({frames, weight});
  return stacks;
}

std::string render_folded(const Recording& recording, const ReportOptions& /*options*/) {
  std::vector<std::string> lines;
  for (const FoldedStack& stack : folded_stacks(recording)) {
    std::string& line = lines.emplace_back(stack.frames.front());
    for (std::size_t i = 1; i < stack.frames.size(); ++i) line += ";" + stack.frames[i];
    line += " " + std::to_string(stack.weight) + "\n";
  }
  std::ranges::sort(lines);
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

}  // namespace callscope
