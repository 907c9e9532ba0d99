// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "model/call_tree.hpp"
#include "model/stack_end.hpp"
#include "report/folded_stacks.hpp"
#include "report/frame_label.hpp"
#include "report/renderer.hpp"
#include "report/thread_name.hpp"

namespace callscope {
namespace {

using Weights = std::map<std::vector<std::string>, std::uint64_t>;

// The first frame: the thread's name, or the target's for threads that nobody saw.
std::string root_label(const Recording& recording, const std::string& comm) {
  if (!comm.empty()) return folded_text(comm);
  const std::string& target = recording.target.comm;
  return target.empty() ? "[unknown]" : folded_text(target);
}

std::vector<FoldedStack> as_stacks(const Weights& weights) {
  std::vector<FoldedStack> stacks;
  stacks.reserve(weights.size());
  for (const auto& [frames, weight] : weights) stacks.push_back({frames, weight});
  return stacks;
}

std::vector<std::string> fold(const std::string& comm, const Stack& stack,
                              const std::vector<std::string>& labels) {
  std::vector<std::string> frames = {comm};
  if (is_cut(stack)) frames.emplace_back(kCutLabel);
  for (auto id = stack.frames.rbegin(); id != stack.frames.rend(); ++id) {
    frames.push_back(labels[*id]);
  }
  if (stack.frames.empty()) frames.emplace_back("[no stack]");
  return frames;
}

// rows: samples, waits or faults, which have a stack in a thread. weigh: what one of them weighs.
template <typename Rows, typename Weigh>
std::vector<FoldedStack> fold_rows(const Recording& recording, const Rows& rows, Weigh weigh,
                                   bool with_lines) {
  std::vector<std::string> labels;
  labels.reserve(recording.frames.size());
  for (const Frame& frame : recording.frames)
    labels.push_back(folded_label(recording, frame, with_lines));
  const ThreadNames threads(recording);
  Weights weights;
  for (const auto& row : rows) {
    const std::uint64_t weight = weigh(row);
    if (weight == 0) continue;
    const std::string root = root_label(recording, threads.comm(row.pid, row.tid));
    weights[fold(root, recording.stacks[row.stack], labels)] += weight;
  }
  return as_stacks(weights);
}

}  // namespace

std::vector<FoldedStack> folded_stacks(const Recording& recording, SampleSet set, bool with_lines) {
  const auto weigh = [set](const CpuSamples& samples) { return samples_in(samples, set); };
  return fold_rows(recording, recording.cpu, weigh, with_lines);
}

std::vector<FoldedStack> wait_stacks(const Recording& recording, bool with_lines) {
  const auto weigh = [](const Waits& waits) { return waits.ns(); };
  return fold_rows(recording, recording.waits, weigh, with_lines);
}

std::vector<FoldedStack> fault_stacks(const Recording& recording, bool with_lines) {
  const auto weigh = [](const PageFaults& faults) { return faults.count; };
  return fold_rows(recording, recording.faults, weigh, with_lines);
}

std::vector<FoldedStack> weighted_stacks(const Recording& recording, const ReportOptions& options) {
  switch (options.weight) {
    case StackWeight::kLatency:
      return latency_stacks(recording);
    case StackWeight::kOffCpu:
      return wait_stacks(recording, options.lines);
    case StackWeight::kPageFaults:
      return fault_stacks(recording, options.lines);
    case StackWeight::kCpu:
      break;
  }
  return folded_stacks(recording, options.samples, options.lines);
}

std::vector<FoldedStack> latency_stacks(const Recording& recording) {
  const ThreadNames threads(recording);
  const std::vector<CallTreeNode> tree =
      call_tree(recording, recording.calls_by_thread ? MergeThreads::kNo : MergeThreads::kYes);
  Weights weights;
  std::vector<std::string> path;  // the labels from the root of the tree to the node at hand
  for (const CallTreeNode& node : tree) {
    path.resize(node.depth);
    path.push_back(folded_text(recording.functions[node.function].name));
    if (node.sums.self_ns == 0) continue;
    std::vector<std::string> frames = {root_label(recording, threads.comm(0, node.tid))};
    frames.insert(frames.end(), path.begin(), path.end());
    weights[std::move(frames)] += node.sums.self_ns;
  }
  return as_stacks(weights);
}

std::string render_folded(const Recording& recording, const ReportOptions& options) {
  const std::vector<FoldedStack> stacks = weighted_stacks(recording, options);
  std::vector<std::string> lines;
  for (const FoldedStack& stack : stacks) {
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
