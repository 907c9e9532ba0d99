// SPDX-License-Identifier: Apache-2.0
// The tree of probed calls as reports show it: threads merged, the dearest calls first. And who
// called a function. Pure functions; ids in the Recording must be valid, as the store checks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "callscope/recording.hpp"

namespace callscope {

// Sums over the nodes of one path. Times are exact; calls are the timed ones, not scaled up.
struct CallSums {
  std::uint64_t calls = 0;
  std::uint64_t unwound = 0;
  std::uint64_t total_ns = 0;  // 0 in recursive nodes: an outer node has it
  std::uint64_t self_ns = 0;
  std::uint64_t max_ns = 0;
  std::uint64_t blocked_ns = 0;
  std::uint64_t runq_ns = 0;
  std::uint64_t self_blocked_ns = 0;
  std::uint64_t self_runq_ns = 0;

  void add(const CallNode& node);
};

struct CallTreeNode {
  std::uint32_t function = 0;  // index into Recording::functions
  std::int32_t tid = 0;        // 0 unless the tree was built by thread
  std::uint32_t depth = 0;     // 0 for a root
  std::uint32_t parent = 0;    // index into the tree; a root is its own
  std::uint32_t end = 0;       // one past the last descendant
  bool recursive = false;      // of a function that is open already
  CallSums sums;
};

enum class MergeThreads { kYes, kNo };

// Depth first; siblings by total, then self, then name, from high to low.
std::vector<CallTreeNode> call_tree(const Recording& recording, MergeThreads merge);

// The time of all roots together: what shares are of.
std::uint64_t tree_total_ns(std::span<const CallTreeNode> tree);

struct Caller {
  std::optional<std::uint32_t> function;  // absent: called while no probed function was open
  CallSums sums;
};

// The callers of each function, by total, then calls, from high to low. The calls of the callers of
// a function add up to its timed calls, their totals to its total.
std::vector<std::vector<Caller>> callers_by_function(const Recording& recording);

}  // namespace callscope
