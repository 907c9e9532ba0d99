// SPDX-License-Identifier: Apache-2.0
#include "model/call_tree.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace callscope {
namespace {

constexpr std::uint32_t kRoots = ~std::uint32_t{0};  // parent of the roots

// Nodes of equal path become one. Merged nodes have indexes of their own, parents first.
class TreeMerger {
 public:
  TreeMerger(const Recording& recording, MergeThreads merge)
      : recording_(recording), merge_(merge) {}

  std::vector<CallTreeNode> run() {
    std::vector<std::uint32_t> merged_of(recording_.call_nodes.size());
    for (const CallNode& node : recording_.call_nodes) {
      const bool root = node.parent == CallNode::kNoParent;
      merged_of[node.id] = merge_node(node, root ? kRoots : merged_of[node.parent]);
    }
    sort_children(roots_);
    for (std::vector<std::uint32_t>& children : children_) sort_children(children);
    return depth_first();
  }

 private:
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::int32_t, bool>;

  std::uint32_t merge_node(const CallNode& node, std::uint32_t parent) {
    const std::int32_t tid = merge_ == MergeThreads::kYes ? 0 : node.tid;
    const auto next = static_cast<std::uint32_t>(nodes_.size());
    const auto [known, added] =
        index_.try_emplace(Key{parent, node.function, tid, node.recursive}, next);
    if (added) {
      const std::uint32_t depth = parent == kRoots ? 0 : nodes_[parent].depth + 1;
      nodes_.push_back({node.function, tid, depth, parent, 0, node.recursive, {}});
      children_.emplace_back();
      (parent == kRoots ? roots_ : children_[parent]).push_back(next);
    }
    nodes_[known->second].sums.add(node);
    return known->second;
  }

  void sort_children(std::vector<std::uint32_t>& children) const {
    std::ranges::sort(children, [&](std::uint32_t left, std::uint32_t right) {
      const CallTreeNode& a = nodes_[left];
      const CallTreeNode& b = nodes_[right];
      const std::string& a_name = recording_.functions[a.function].name;
      const std::string& b_name = recording_.functions[b.function].name;
      return std::tie(b.sums.total_ns, b.sums.self_ns, a_name, a.function, a.tid, a.recursive) <
             std::tie(a.sums.total_ns, a.sums.self_ns, b_name, b.function, b.tid, b.recursive);
    });
  }

  // Without recursion: the depth comes from the file.
  std::vector<CallTreeNode> depth_first() const {
    std::vector<CallTreeNode> tree;
    tree.reserve(nodes_.size());
    std::vector<std::uint32_t> place_of(nodes_.size());
    std::vector<std::uint32_t> open(roots_.rbegin(), roots_.rend());
    while (!open.empty()) {
      const std::uint32_t index = open.back();
      open.pop_back();
      const auto place = static_cast<std::uint32_t>(tree.size());
      place_of[index] = place;
      CallTreeNode& node = tree.emplace_back(nodes_[index]);
      node.parent = node.parent == kRoots ? place : place_of[node.parent];
      open.insert(open.end(), children_[index].rbegin(), children_[index].rend());
    }
    for (std::size_t i = tree.size(); i-- > 0;) {
      CallTreeNode& node = tree[i];
      node.end = std::max(node.end, static_cast<std::uint32_t>(i + 1));
      tree[node.parent].end = std::max(tree[node.parent].end, node.end);
    }
    return tree;
  }

  const Recording& recording_;
  MergeThreads merge_;
  std::map<Key, std::uint32_t> index_;
  std::vector<CallTreeNode> nodes_;
  std::vector<std::vector<std::uint32_t>> children_;  // by index into nodes_
  std::vector<std::uint32_t> roots_;
};

}  // namespace

void CallSums::add(const CallNode& node) {
  calls += node.calls;
  unwound += node.unwound;
  self_ns += node.self_ns;
  max_ns = std::max(max_ns, node.max_ns);
  self_blocked_ns += node.self_blocked_ns;
  self_runq_ns += node.self_runq_ns;
  if (node.recursive) return;
  total_ns += node.total_ns;
  blocked_ns += node.blocked_ns;
  runq_ns += node.runq_ns;
}

std::vector<CallTreeNode> call_tree(const Recording& recording, MergeThreads merge) {
  return TreeMerger(recording, merge).run();
}

std::uint64_t tree_total_ns(std::span<const CallTreeNode> tree) {
  std::uint64_t sum_ns = 0;
  for (std::size_t root = 0; root < tree.size(); root = tree[root].end) {
    sum_ns += tree[root].sums.total_ns;
  }
  return sum_ns;
}

std::vector<std::vector<Caller>> callers_by_function(const Recording& recording) {
  using CallerFunction = std::optional<std::uint32_t>;
  std::map<std::pair<std::uint32_t, CallerFunction>, CallSums> sums;
  for (const CallNode& node : recording.call_nodes) {
    CallerFunction caller;
    if (node.parent != CallNode::kNoParent) caller = recording.call_nodes[node.parent].function;
    sums[{node.function, caller}].add(node);
  }
  std::vector<std::vector<Caller>> callers(recording.functions.size());
  for (const auto& [edge, edge_sums] : sums)
    callers[edge.first].push_back({edge.second, edge_sums});
  for (std::vector<Caller>& list : callers) {
    std::ranges::stable_sort(list, [](const Caller& a, const Caller& b) {
      return std::tie(b.sums.total_ns, b.sums.calls) < std::tie(a.sums.total_ns, a.sums.calls);
    });
  }
  return callers;
}

}  // namespace callscope
