// SPDX-License-Identifier: Apache-2.0
// What the CPU samples say: which functions and which whole stacks were on CPU, and how far the
// stacks can be trusted. Pure functions; ids in the Recording must be valid, as the store checks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "callscope/recording.hpp"

namespace callscope {

// Which samples count: all, or those taken inside the slow calls that were logged.
enum class SampleSet { kAll, kSlow };

inline std::uint64_t samples_in(const CpuSamples& samples, SampleSet set) {
  return set == SampleSet::kAll ? samples.count : samples.slow_count;
}

struct FunctionShare {
  std::string name;          // empty: all unresolved addresses of the module together
  std::uint32_t module = 0;  // index into Recording::modules
  std::uint64_t self = 0;    // samples with the function as leaf
  std::uint64_t total = 0;   // samples with the function anywhere; recursion counts once
  bool inlined = false;      // its inlined copies only; its own code is another entry
};

// All stacks that go through the same functions, at whatever addresses in them.
struct StackCount {
  std::uint32_t stack = 0;          // Stack::id of one of them
  std::uint64_t count = 0;          // over all threads
  std::uint64_t slow_count = 0;     // of these, inside slow calls
  std::vector<CpuSamples> threads;  // the same by thread, sorted by (pid, tid)
};

constexpr std::size_t kStackEnds = static_cast<std::size_t>(StackEnd::kDeep) + 1;

struct StackSummary {
  std::uint64_t samples = 0;
  std::uint64_t slow_samples = 0;                // of these, inside slow calls
  std::uint64_t kernel_leaf = 0;                 // samples taken inside the kernel
  std::uint64_t with_user = 0;                   // samples with at least one user frame
  std::uint64_t reaching_start = 0;              // of these, whose outermost frames start a thread
  std::uint64_t truncated = 0;                   // samples whose walk was cut
  std::array<std::uint64_t, kStackEnds> ends{};  // samples by StackEnd
  std::uint64_t unresolved_leaf = 0;             // samples whose leaf has no name
  std::uint64_t unresolved_any = 0;              // samples with any frame without a name
  std::vector<FunctionShare> functions;          // by self, then total, from high to low
  std::vector<StackCount> stacks;                // by count from high to low
};

StackSummary summarize_stacks(const Recording& recording, SampleSet set = SampleSet::kAll);

// Is this the function that a thread begins in: _start, __libc_start_main, clone3 ...?
bool is_thread_start(std::string_view function);

}  // namespace callscope
