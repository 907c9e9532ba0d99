// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/call_tree.hpp"
#include "report/function_columns.hpp"
#include "report/plain_text.hpp"
#include "report/renderer.hpp"
#include "report/text_table.hpp"
#include "report/units.hpp"

namespace callscope {
namespace {

// What a node brings to its parent's children: a recursive one has no total of its own.
std::uint64_t weight_ns(const CallTreeNode& node) {
  return std::max(node.sums.total_ns, node.sums.self_ns);
}

class TreePrinter {
 public:
  TreePrinter(const Recording& recording, const ReportOptions& options)
      : recording_(recording),
        options_(options),
        tree_(call_tree(recording, MergeThreads::kYes)),
        all_ns_(tree_total_ns(tree_)) {}

  std::string write() {
    const Paint paint(options_.color);
    std::string text = paint.bold("CALL TREE") +
                       fmt::format("  {} in probed functions of {} ({}), {}\n", format_ns(all_ns_),
                                   printable(recording_.target.comm), recording_.target.pid,
                                   format_ns(recording_.duration_ns));
    if (tree_.empty()) return text + "  no probed call was timed\n";
    std::vector<std::uint32_t> roots;
    for (std::uint32_t root = 0; root < tree_.size(); root = tree_[root].end) roots.push_back(root);
    add_siblings(roots, "", true);
    while (!open_.empty()) {
      const Open next = std::move(open_.back());
      open_.pop_back();
      add_node(next);
    }
    table_.fit(options_.width, 30);
    return text + table_.write(options_.width, paint, 30) + legend(paint);
  }

 private:
  struct Open {
    std::uint32_t node = 0;
    std::string prefix;        // of its own line
    std::string below;         // of the lines of its children
    std::uint32_t hidden = 0;  // not a node: so many calls that are not shown
    std::uint64_t hidden_ns = 0;
  };

  [[nodiscard]] bool shown(const CallTreeNode& node) const {
    if (options_.tree_depth > 0 && node.depth >= options_.tree_depth) return false;
    return static_cast<double>(weight_ns(node)) * 100 >=
           static_cast<double>(all_ns_) * options_.tree_min_percent;
  }

  // Puts siblings on the stack of what is to be printed, the first on top.
  void add_siblings(const std::vector<std::uint32_t>& siblings, const std::string& prefix,
                    bool roots) {
    Open rest;
    std::vector<Open> opened;
    for (const std::uint32_t index : siblings) {
      if (shown(tree_[index])) {
        opened.push_back({index, prefix, prefix, 0, 0});
      } else {
        rest.hidden += tree_[index].end - index;
        rest.hidden_ns += weight_ns(tree_[index]);
      }
    }
    if (rest.hidden > 0) opened.push_back(rest);
    for (std::size_t i = 0; i < opened.size(); ++i) {
      const bool last = i + 1 == opened.size();
      if (roots) continue;
      opened[i].prefix = prefix + (last ? "`- " : "|- ");
      opened[i].below = prefix + (last ? "   " : "|  ");
    }
    open_.insert(open_.end(), opened.rbegin(), opened.rend());
  }

  void add_node(const Open& open) {
    if (open.hidden > 0) {
      table_.add_row({format_ns(open.hidden_ns), share(open.hidden_ns), "", "", "", "", "",
                      fmt::format("{}... {} more", open.prefix, open.hidden)});
      return;
    }
    const CallTreeNode& node = tree_[open.node];
    const CallSums& s = node.sums;
    const FunctionStats& f = recording_.functions[node.function];
    std::string label = open.prefix + function_label(recording_, f);
    if (node.recursive) label += " (recursive)";
    const auto time_or_blank = [](std::uint64_t ns) { return ns == 0 ? "" : format_ns(ns); };
    table_.add_row({node.recursive ? "" : format_ns(s.total_ns),
                    node.recursive ? "" : share(s.total_ns), format_ns(s.self_ns),
                    time_or_blank(s.blocked_ns), std::to_string(s.calls), format_ns(s.max_ns),
                    s.unwound == 0 ? "" : std::to_string(s.unwound), std::move(label)});
    sampled_ |= f.skipped > 0;
    std::vector<std::uint32_t> children;
    for (std::uint32_t child = open.node + 1; child < node.end; child = tree_[child].end) {
      children.push_back(child);
    }
    add_siblings(children, open.below, false);
  }

  [[nodiscard]] std::string share(std::uint64_t ns) const {
    return format_percent(static_cast<double>(ns), static_cast<double>(all_ns_));
  }

  [[nodiscard]] std::string legend(const Paint& paint) const {
    std::string text;
    const auto line = [&](const std::string& words) { text += "  " + paint.dim(words) + "\n"; };
    if (options_.tree_min_percent > 0)
      line(fmt::format("below {} % of the time summed up as \"more\" (--min-share 0 shows all)",
                       options_.tree_min_percent));
    if (sampled_) line("calls are the timed ones; of functions that were sampled there were more");
    return text;
  }

  const Recording& recording_;
  const ReportOptions& options_;
  std::vector<CallTreeNode> tree_;
  std::uint64_t all_ns_;
  std::vector<Open> open_;
  bool sampled_ = false;
  TextTable table_{{{"total"},
                    {"share"},
                    {"self"},
                    {"blocked", Align::kRight, true, 2},
                    {"calls"},
                    {"max", Align::kRight, false, 3},
                    {"unwound", Align::kRight, true, 1},
                    {"function", Align::kLeft}}};
};

}  // namespace

std::string render_call_tree(const Recording& recording, const ReportOptions& options) {
  return TreePrinter(recording, options).write();
}

}  // namespace callscope
