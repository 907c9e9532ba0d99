// SPDX-License-Identifier: Apache-2.0
#include "collect/call_statistics.hpp"

#include <algorithm>

#include "model/histogram.hpp"

namespace callscope {
namespace {

// 100 functions for an hour; some 100 MB at most.
constexpr std::size_t kMaxColumns = 360'000;

using Histogram = std::vector<std::pair<std::uint32_t, std::uint64_t>>;

std::uint64_t minus(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

void add(cs_call_stats& sum, const cs_call_stats& part) {
  sum.returns += part.returns;
  sum.sum_ns += part.sum_ns;
  sum.min_inv = std::max(sum.min_inv, part.min_inv);
  sum.max_ns = std::max(sum.max_ns, part.max_ns);
  sum.child_ns += part.child_ns;
  sum.blocked_ns += part.blocked_ns;
  sum.runq_ns += part.runq_ns;
  sum.child_blocked_ns += part.child_blocked_ns;
  sum.child_runq_ns += part.child_runq_ns;
  sum.nested_ns += part.nested_ns;
  sum.nested_blocked_ns += part.nested_blocked_ns;
  sum.nested_runq_ns += part.nested_runq_ns;
  sum.unwound += part.unwound;
  sum.unwound_ns += part.unwound_ns;
  sum.threw += part.threw;
  sum.untimed += part.untimed;
  sum.skipped += part.skipped;
  sum.tail_exits += part.tail_exits;
  sum.running += part.running;
}

bool is_used(const cs_call_stats& stats) {
  return (stats.returns | stats.unwound | stats.untimed | stats.skipped | stats.running) != 0;
}

void take_stats(const cs_call_stats& stats, FunctionStats& out) {
  out.returns = stats.returns;
  out.unwound = stats.unwound;
  out.threw = stats.threw;
  out.untimed = stats.untimed;
  out.skipped = stats.skipped;
  out.tail_exits = stats.tail_exits;
  out.running = stats.running;
  out.calls = out.returns + out.unwound + out.untimed + out.skipped + out.running;
  const std::uint64_t closed_ns = stats.sum_ns + stats.unwound_ns;
  out.total_ns = minus(closed_ns, stats.nested_ns);
  out.self_ns = minus(closed_ns, stats.child_ns);
  out.sum_ns = stats.sum_ns;
  out.min_ns = out.returns == 0 ? 0 : ~stats.min_inv;
  out.max_ns = stats.max_ns;
  out.blocked_ns = minus(stats.blocked_ns, stats.nested_blocked_ns);
  out.runq_ns = minus(stats.runq_ns, stats.nested_runq_ns);
  out.self_blocked_ns = minus(stats.blocked_ns, stats.child_blocked_ns);
  out.self_runq_ns = minus(stats.runq_ns, stats.child_runq_ns);
}

CallNode make_node(const cs_call_stats& stats) {
  CallNode node;
  node.calls = stats.returns;
  node.unwound = stats.unwound;
  node.total_ns = stats.sum_ns + stats.unwound_ns;
  node.self_ns = minus(node.total_ns, stats.child_ns);
  node.max_ns = stats.max_ns;
  node.blocked_ns = stats.blocked_ns;
  node.runq_ns = stats.runq_ns;
  node.self_blocked_ns = minus(stats.blocked_ns, stats.child_blocked_ns);
  node.self_runq_ns = minus(stats.runq_ns, stats.child_runq_ns);
  return node;
}

// Calls in mutual recursion come back to the node of the outermost one, whose time has theirs.
void leave_out_nested(const cs_call_stats& stats, CallNode& node) {
  node.total_ns = minus(node.total_ns, stats.nested_ns);
  node.blocked_ns = minus(node.blocked_ns, stats.nested_blocked_ns);
  node.runq_ns = minus(node.runq_ns, stats.nested_runq_ns);
}

// What is in now and was not in before: slots never get smaller.
Histogram difference(const Histogram& now, const Histogram& before) {
  Histogram news;
  auto old = before.begin();
  for (const auto& [slot, count] : now) {
    while (old != before.end() && old->first < slot) ++old;
    const std::uint64_t known = old != before.end() && old->first == slot ? old->second : 0;
    if (count > known) news.emplace_back(slot, count - known);
  }
  return news;
}

}  // namespace

void CallStatistics::update_nodes(const CallsProgram& program, const FunctionRegistry& registry,
                                  Recording& recording) {
  const std::uint32_t roots = program.options().max_functions;
  recording.call_nodes.clear();
  std::map<std::uint32_t, std::uint32_t> node_of;  // BPF's number to CallNode::id
  // Parents first: a context is made when the context that it hangs under is open already.
  const auto take = [&](std::uint32_t number, const cs_call_stats& stats,
                        const cs_call_node_info& info) {
    const auto row = registry.row(info.func);
    if (!row) return;
    CallNode node = make_node(stats);
    node.id = static_cast<std::uint32_t>(recording.call_nodes.size());
    node.function = *row;
    node.recursive = info.recursive != 0;
    if (!node.recursive) leave_out_nested(stats, node);
    const bool by_thread = info.parent != CS_NO_NODE && (info.parent & CS_ROOT_THREAD) != 0;
    if (by_thread) node.tid = static_cast<std::int32_t>(info.parent & ~CS_ROOT_THREAD);
    if (const auto parent = node_of.find(info.parent); !by_thread && parent != node_of.end()) {
      node.parent = parent->second;
      node.tid = recording.call_nodes[parent->second].tid;
    }
    node_of[number] = node.id;
    recording.call_nodes.push_back(node);
  };
  for (std::uint32_t func = 0; func < registry.size(); ++func) {
    const cs_call_stats stats = program.stats(func);
    add(sums_[func], stats);
    if ((stats.returns | stats.unwound) != 0)
      take(func, stats, {CS_NO_NODE, func, 0, 1});
    else if (program.contexts() > 0 && stats.running != 0)
      take(func, stats, {CS_NO_NODE, func, 0, 1});
  }
  for (std::uint32_t i = 0; i < program.contexts(); ++i) {
    const cs_call_node_info& info = program.node_info(roots + i);
    if (info.used == 0 || info.func >= registry.size()) continue;
    const cs_call_stats stats = program.stats(roots + i);
    add(sums_[info.func], stats);
    // A caller that is still open has closed no call yet, but its callees have.
    if (info.parent < roots && !node_of.contains(info.parent))
      take(info.parent, {}, {CS_NO_NODE, info.parent, 0, 1});
    take(roots + i, stats, info);
  }
}

void CallStatistics::add_to_column(std::uint32_t func, std::uint32_t row, std::uint32_t second,
                                   const Histogram& news, Recording& recording) {
  std::vector<LatencyColumn>& columns = recording.latency_columns;
  const auto [last, first_one] = column_of_.try_emplace(func, columns.size());
  if (!first_one && columns[last->second].second == second) {
    Histogram& histogram = columns[last->second].histogram;
    histogram = merge_histograms(histogram, news);
    return;
  }
  if (columns.size() >= kMaxColumns) {
    ++columns_dropped_;
    return;
  }
  last->second = columns.size();
  columns.push_back({row, second, news});
}

void CallStatistics::update_histogram(const CallsProgram& program, std::uint32_t func,
                                      std::uint32_t row, std::uint32_t second,
                                      Recording& recording) {
  FunctionStats& function = recording.functions[row];
  Histogram now = program.histogram(func);
  Histogram news = difference(now, function.histogram);
  function.histogram = std::move(now);
  if (!news.empty()) add_to_column(func, row, second, news, recording);
}

void CallStatistics::update(const CallsProgram& program, const FunctionRegistry& registry,
                            std::uint32_t second, Recording& recording) {
  sums_.assign(registry.size(), {});
  update_nodes(program, registry, recording);
  for (std::uint32_t func = 0; func < registry.size(); ++func) {
    const auto row = registry.row(func);
    if (!row || !is_used(sums_[func])) continue;
    FunctionStats& function = recording.functions[*row];
    if (sums_[func].returns != function.returns)
      update_histogram(program, func, *row, second, recording);
    take_stats(sums_[func], function);
    function.sample_every = 1U << (program.control(func).sample_shift);
  }
}

}  // namespace callscope
