// SPDX-License-Identifier: Apache-2.0
// The stacks of a recording as folded stacks, sorted. Shared by the folded and the svg format. Pure
// functions.
#pragma once

#include <vector>

#include "callscope/recording.hpp"
#include "flamegraph/folded.hpp"
#include "model/stack_summary.hpp"
#include "report/renderer.hpp"

namespace callscope {

inline constexpr const char* kCutLabel = "[cut]";

// CPU samples: one stack for each (thread name, stack). frames: thread name, then root to leaf. A
// stack without frames becomes "[no stack]"; kCutLabel stands for the callers of one that was cut.
// with_lines: frames on different lines stay apart.
std::vector<FoldedStack> folded_stacks(const Recording& recording, SampleSet set = SampleSet::kAll,
                                       bool with_lines = false);

// Waits: one stack for each (thread name, stack), weighted by ns. Otherwise as CPU samples.
std::vector<FoldedStack> wait_stacks(const Recording& recording, bool with_lines = false);

// Page faults: one stack for each (thread name, stack), weighted by number. Otherwise as CPU
// samples.
std::vector<FoldedStack> fault_stacks(const Recording& recording, bool with_lines = false);

// The tree of probed calls: one stack for each path, weighted by exact self time in ns. frames: the
// thread name (the process's, when calls were not kept by thread), then root to leaf.
std::vector<FoldedStack> latency_stacks(const Recording& recording);

// Those that the options ask for.
std::vector<FoldedStack> weighted_stacks(const Recording& recording, const ReportOptions& options);

}  // namespace callscope
