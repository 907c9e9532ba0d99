// SPDX-License-Identifier: Apache-2.0
#include "model/stack_summary.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <tuple>
#include <utility>

namespace callscope {
namespace {

// In a library without .symtab the start function of threads is local and bears the name of its
// neighbour, but its caller (clone3, __clone) or its callee does not: look at the last two frames.
constexpr std::size_t kOutermostFrames = 2;

class StackCounter {
 public:
  StackCounter(const Recording& recording, SampleSet set) : recording_(recording), set_(set) {
    find_functions();
    seen_in_.resize(summary_.functions.size(), kNever);
  }

  StackSummary run() {
    std::map<std::uint32_t, std::uint64_t> counts;
    for (const CpuSamples& samples : recording_.cpu) {
      counts[samples.stack] += samples_in(samples, set_);
    }
    for (const auto& [stack, count] : counts) {
      if (count == 0) continue;
      summary_.samples += count;
      add_stack(recording_.stacks[stack], count);
    }
    std::erase_if(summary_.functions, [](const FunctionShare& f) { return f.total == 0; });
    std::ranges::sort(summary_.functions, [](const FunctionShare& a, const FunctionShare& b) {
      return std::tie(b.self, b.total, a.name, a.module, a.inlined) <
             std::tie(a.self, a.total, b.name, b.module, b.inlined);
    });
    merge_stacks();
    return std::move(summary_);
  }

 private:
  static constexpr std::uint32_t kNever = ~std::uint32_t{0};

  // Two stacks with equal keys read the same. Addresses without a name stay apart.
  [[nodiscard]] std::vector<std::uint32_t> key_of(const Stack& stack) const {
    std::vector<std::uint32_t> key = {(stack.truncated ? 1U : 0U) +
                                      2 * static_cast<std::uint32_t>(stack.end)};
    for (const std::uint32_t frame : stack.frames) {
      const bool named = !recording_.frames[frame].function.empty();
      key.push_back(named ? 2 * function_of_[frame] : 2 * frame + 1);
    }
    return key;
  }

  void merge_stacks() {
    std::map<std::vector<std::uint32_t>, std::size_t> place_of_key;
    std::map<std::uint32_t, std::size_t> place_of_stack;
    using Counts = std::pair<std::uint64_t, std::uint64_t>;  // all, slow
    std::vector<std::map<std::pair<std::int32_t, std::int32_t>, Counts>> threads;
    for (const CpuSamples& samples : recording_.cpu) {
      const std::uint64_t count = samples_in(samples, set_);
      if (count == 0) continue;
      auto known = place_of_stack.find(samples.stack);
      if (known == place_of_stack.end()) {
        const auto [merged, added] = place_of_key.try_emplace(
            key_of(recording_.stacks[samples.stack]), summary_.stacks.size());
        if (added) {
          summary_.stacks.push_back({samples.stack, 0, 0, {}});
          threads.emplace_back();
        }
        known = place_of_stack.emplace(samples.stack, merged->second).first;
      }
      summary_.stacks[known->second].count += count;
      summary_.stacks[known->second].slow_count += samples.slow_count;
      summary_.slow_samples += samples.slow_count;
      Counts& counts = threads[known->second][{samples.pid, samples.tid}];
      counts.first += count;
      counts.second += samples.slow_count;
    }
    for (std::size_t i = 0; i < threads.size(); ++i) {
      for (const auto& [thread, counts] : threads[i]) {
        summary_.stacks[i].threads.push_back(
            {summary_.stacks[i].stack, thread.first, thread.second, counts.first, counts.second});
      }
    }
    std::ranges::stable_sort(summary_.stacks, std::greater{}, &StackCount::count);
  }

  // Gives each frame the index of its function in summary_.functions.
  void find_functions() {
    std::map<std::tuple<std::string_view, std::uint32_t, bool>, std::uint32_t> index;
    for (const Frame& frame : recording_.frames) {
      const auto next = static_cast<std::uint32_t>(summary_.functions.size());
      const auto [entry, added] =
          index.try_emplace({frame.function, frame.module, frame.inlined()}, next);
      if (added)
        summary_.functions.push_back({frame.function, frame.module, 0, 0, frame.inlined()});
      function_of_.push_back(entry->second);
    }
  }

  [[nodiscard]] bool is_kernel(std::uint32_t frame) const {
    return recording_.modules[recording_.frames[frame].module].kind == ModuleKind::kKernel;
  }

  // By the walker's word, which needs no names, or by the names.
  [[nodiscard]] bool reaches_start(const Stack& stack) const {
    if (stack.end == StackEnd::kComplete || stack.end == StackEnd::kDeep) return true;
    const std::size_t looked_at = std::min(kOutermostFrames, stack.frames.size());
    return std::any_of(
        stack.frames.rbegin(), stack.frames.rbegin() + static_cast<std::ptrdiff_t>(looked_at),
        [&](std::uint32_t frame) {
          return !is_kernel(frame) && is_thread_start(recording_.frames[frame].function);
        });
  }

  void add_stack(const Stack& stack, std::uint64_t count) {
    if (stack.truncated) summary_.truncated += count;
    summary_.ends.at(static_cast<std::size_t>(stack.end)) += count;
    if (stack.frames.empty()) return;
    bool unresolved = false;
    for (const std::uint32_t frame : stack.frames) {
      const std::uint32_t function = function_of_[frame];
      unresolved |= recording_.frames[frame].function.empty();
      if (std::exchange(seen_in_[function], stack.id) != stack.id) {
        summary_.functions[function].total += count;
      }
    }
    const std::uint32_t leaf = stack.frames.front();
    summary_.functions[function_of_[leaf]].self += count;
    if (unresolved) summary_.unresolved_any += count;
    if (recording_.frames[leaf].function.empty()) summary_.unresolved_leaf += count;
    if (is_kernel(leaf)) summary_.kernel_leaf += count;
    // Kernel frames come first, so the root tells whether there is a user part.
    if (is_kernel(stack.frames.back())) return;
    summary_.with_user += count;
    if (reaches_start(stack)) summary_.reaching_start += count;
  }

  const Recording& recording_;
  SampleSet set_;
  StackSummary summary_;
  std::vector<std::uint32_t> function_of_;  // by Frame::id
  std::vector<std::uint32_t> seen_in_;      // by function: the last stack that counted it
};

}  // namespace

bool is_thread_start(std::string_view function) {
  constexpr std::array<std::string_view, 9> kNames = {"_start",
                                                      "__libc_start_main",
                                                      "__libc_start_call_main",
                                                      "__libc_start_main_impl",
                                                      "start_thread",
                                                      "clone",
                                                      "__clone",
                                                      "clone3",
                                                      "__clone3"};
  // A symbol version is not part of the name.
  function = function.substr(0, function.find('@'));
  return std::ranges::find(kNames, function) != kNames.end();
}

StackSummary summarize_stacks(const Recording& recording, SampleSet set) {
  return StackCounter(recording, set).run();
}

}  // namespace callscope
