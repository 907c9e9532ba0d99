// SPDX-License-Identifier: Apache-2.0
#include "flamegraph/tree.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace callscope {
namespace {

// One stack as ranks of names: numbers that sort as the names do.
struct RankedStack {
  std::span<std::uint32_t> ranks;
  std::uint64_t weight = 0;
};

// The stacks of a build as slices of one pool, so that sorting them moves no strings.
struct RankedStacks {
  std::vector<std::string> names;  // sorted; a rank is an index here
  std::vector<std::uint32_t> pool;
  std::vector<RankedStack> stacks;  // views of pool
};

std::vector<std::string> intern_names(std::span<const FoldedStack> stacks,
                                      std::vector<std::uint32_t>& pool) {
  std::unordered_map<std::string_view, std::uint32_t> ids;  // views of stacks
  std::vector<std::string_view> names;
  for (const FoldedStack& stack : stacks) {
    for (const std::string& frame : stack.frames) {
      const auto [entry, added] = ids.try_emplace(frame, static_cast<std::uint32_t>(names.size()));
      if (added) names.push_back(frame);
      pool.push_back(entry->second);
    }
  }
  std::vector<std::uint32_t> order(names.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](std::uint32_t id) { return names[id]; });
  std::vector<std::uint32_t> rank_of(names.size());
  std::vector<std::string> sorted;
  sorted.reserve(names.size());
  for (const std::uint32_t id : order) {
    rank_of[id] = static_cast<std::uint32_t>(sorted.size());
    sorted.emplace_back(names[id]);
  }
  for (std::uint32_t& id : pool) id = rank_of[id];
  return sorted;
}

RankedStacks rank_stacks(std::span<const FoldedStack> stacks, MergeFrom from) {
  RankedStacks ranked;
  ranked.names = intern_names(stacks, ranked.pool);
  std::span<std::uint32_t> rest(ranked.pool);
  for (const FoldedStack& stack : stacks) {
    const std::span<std::uint32_t> ranks = rest.first(stack.frames.size());
    rest = rest.subspan(ranks.size());
    if (ranks.empty() || stack.weight == 0) continue;
    if (from == MergeFrom::kLeaf) std::ranges::reverse(ranks);
    ranked.stacks.push_back({ranks, stack.weight});
  }
  std::ranges::sort(ranked.stacks, [](const RankedStack& a, const RankedStack& b) {
    const auto [in_a, in_b] = std::ranges::mismatch(a.ranks, b.ranks);
    // A stack goes behind its own extensions: children begin where their parent does.
    if (in_a == a.ranks.end() || in_b == b.ranks.end()) return in_a != a.ranks.end();
    return *in_a < *in_b;
  });
  return ranked;
}

// Appends the nodes of sorted stacks; path is the chain from the root to the node added last.
class TreeBuilder {
 public:
  explicit TreeBuilder(std::vector<FrameNode>& nodes) : nodes_(nodes) { path_.push_back(0); }

  void add(const RankedStack& stack) {
    std::size_t shared = 0;
    while (shared < stack.ranks.size() && shared + 1 < path_.size() &&
           nodes_[path_[shared + 1]].name == stack.ranks[shared]) {
      ++shared;
    }
    close_below(shared);
    for (const std::uint32_t name : stack.ranks.subspan(shared)) open(name);
    const std::uint64_t start = nodes_.front().total;
    const std::uint64_t weight =
        std::min(stack.weight, std::numeric_limits<std::uint64_t>::max() - start);
    for (const std::uint32_t node : path_) nodes_[node].total += weight;
    nodes_[path_.back()].self += weight;
  }

  // Ends every open node deeper than depth.
  void close_below(std::size_t depth) {
    while (path_.size() > depth + 1) {
      nodes_[path_.back()].end = static_cast<std::uint32_t>(nodes_.size());
      path_.pop_back();
    }
  }

 private:
  void open(std::uint32_t name) {
    FrameNode node;
    node.name = name;
    node.parent = path_.back();
    node.depth = static_cast<std::uint32_t>(path_.size());
    node.start = nodes_.front().total;
    path_.push_back(static_cast<std::uint32_t>(nodes_.size()));
    nodes_.push_back(node);
  }

  std::vector<FrameNode>& nodes_;
  std::vector<std::uint32_t> path_;
};

}  // namespace

FrameTree FrameTree::build(std::span<const FoldedStack> stacks, MergeFrom from) {
  RankedStacks ranked = rank_stacks(stacks, from);
  FrameTree tree;
  tree.from_ = from;
  tree.nodes_.emplace_back();
  TreeBuilder builder(tree.nodes_);
  for (const RankedStack& stack : ranked.stacks) builder.add(stack);
  builder.close_below(0);
  tree.names_ = std::move(ranked.names);
  tree.nodes_.front().name = static_cast<std::uint32_t>(tree.names_.size());
  tree.nodes_.front().end = static_cast<std::uint32_t>(tree.nodes_.size());
  tree.names_.emplace_back("all");
  return tree;
}

}  // namespace callscope
