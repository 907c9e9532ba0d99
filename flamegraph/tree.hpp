// SPDX-License-Identifier: Apache-2.0
// FrameTree: stacks merged by common prefix, the shape that a flame graph draws. Immutable once
// built; owns copies of all names, so the stacks may go. Nodes are in depth-first order with
// siblings sorted by name: equal stacks give an equal tree whatever their order was. Cannot fail.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "flamegraph/folded.hpp"

namespace callscope {

enum class MergeFrom {
  kRoot,  // callers below callees: where does the time go from here
  kLeaf,  // every stack turned round: who leads to this function
};

struct FrameNode {
  std::uint32_t name = 0;    // index into FrameTree::names()
  std::uint32_t parent = 0;  // index into FrameTree::nodes(); the root is its own parent
  std::uint32_t depth = 0;   // 0 for the root
  std::uint32_t end = 0;     // one past the last descendant in nodes()
  std::uint64_t start = 0;   // weight to the left of this node
  std::uint64_t total = 0;   // weight of all stacks through this node
  std::uint64_t self = 0;    // weight of the stacks that end here
};

class FrameTree {
 public:
  // Stacks of weight 0 and stacks without frames are left out.
  static FrameTree build(std::span<const FoldedStack> stacks, MergeFrom from = MergeFrom::kRoot);

  // Never empty: nodes()[0] is the root, named "all".
  [[nodiscard]] const std::vector<FrameNode>& nodes() const { return nodes_; }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] const std::string& name_of(const FrameNode& node) const {
    return names_[node.name];
  }
  [[nodiscard]] std::uint64_t total() const { return nodes_.front().total; }
  [[nodiscard]] MergeFrom merged_from() const { return from_; }

 private:
  FrameTree() = default;

  std::vector<std::string> names_;
  std::vector<FrameNode> nodes_;
  MergeFrom from_ = MergeFrom::kRoot;
};

}  // namespace callscope
