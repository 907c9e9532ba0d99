// SPDX-License-Identifier: Apache-2.0
#include "store/call_tables.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "callscope/names.hpp"
#include "store/column_text.hpp"
#include "store/schema.hpp"

namespace callscope::store {
namespace {

using Id = std::optional<std::uint32_t>;

Result<void> put_histogram(Statement& upsert, std::size_t id, const FunctionStats& now,
                           const FunctionStats& before) {
  auto old = before.histogram.begin();
  for (const auto& slot : now.histogram) {
    while (old != before.histogram.end() && old->first < slot.first) ++old;
    if (old != before.histogram.end() && *old == slot) continue;
    CS_TRY(upsert.run(id, slot.first, slot.second));
  }
  return {};
}

Result<void> put_aliases(Statement& upsert, std::size_t id, const FunctionStats& now,
                         const FunctionStats& before) {
  if (now.aliases == before.aliases) return {};
  std::size_t position = 0;
  for (const std::string& name : now.aliases) CS_TRY(upsert.run(id, position++, name));
  return {};
}

Result<void> put_function(Statement& upsert, std::size_t id, const FunctionStats& f) {
  return upsert.run(id, f.name, f.module, f.addr, f.size_bytes, name_of(f.exit), f.calls, f.returns,
                    f.unwound, f.running, f.untimed, f.total_ns, f.self_ns, f.sum_ns, f.min_ns,
                    f.max_ns, f.probe_cost_ns, f.tail_exits, f.site_addr, f.emulated_entry,
                    f.emulated_exits, f.inlined_copies, f.threw, f.skipped, f.sample_every,
                    f.untimed_ns, f.detached_ns, f.blocked_ns, f.runq_ns, f.self_blocked_ns,
                    f.self_runq_ns, f.attached_ns, f.file, f.line);
}

std::pair<std::uint32_t, std::uint32_t> place_of(const LatencyColumn& column) {
  return {column.second, column.function};
}

}  // namespace

Result<void> CallTables::put(Database& database, const Recording& recording) {
  CS_TRY(put_functions(database, recording));
  CS_TRY(put_call_nodes(database, recording));
  CS_TRY(put_latency(database, recording));
  return put_slow_calls(database, recording);
}

Result<void> CallTables::put_functions(Database& database, const Recording& recording) {
  if (recording.functions == functions_) return {};
  Result<Statement> row = database.prepare(
      "INSERT OR REPLACE INTO function VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
      "?,?,?,?,?,?,?,?,?)");
  if (!row) return std::unexpected(row.error());
  Result<Statement> alias =
      database.prepare("INSERT OR REPLACE INTO function_alias VALUES (?,?,?)");
  if (!alias) return std::unexpected(alias.error());
  Result<Statement> slot =
      database.prepare("INSERT OR REPLACE INTO function_histogram VALUES (?,?,?)");
  if (!slot) return std::unexpected(slot.error());
  functions_.resize(recording.functions.size());
  for (std::size_t id = 0; id < recording.functions.size(); ++id) {
    const FunctionStats& now = recording.functions[id];
    FunctionStats& before = functions_[id];
    // A default-constructed `before` means "no row yet", also when it equals `now`.
    if (now == before && !now.name.empty()) continue;
    CS_TRY(put_function(*row, id, now));
    CS_TRY(put_aliases(*alias, id, now, before));
    CS_TRY(put_histogram(*slot, id, now, before));
    before = now;
  }
  return {};
}

Result<void> CallTables::put_call_nodes(Database& database, const Recording& recording) {
  const std::vector<CallNode>& nodes = recording.call_nodes;
  Result<Statement> row =
      database.prepare("INSERT OR REPLACE INTO call_node VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!row) return std::unexpected(row.error());
  const std::size_t known = call_nodes_.size();
  call_nodes_.resize(nodes.size());
  for (std::size_t id = 0; id < nodes.size(); ++id) {
    const CallNode& n = nodes[id];
    if (id < known && n == call_nodes_[id]) continue;
    const Id parent = n.parent == CallNode::kNoParent ? Id() : Id(n.parent);
    CS_TRY(row->run(id, parent, n.function, n.tid, n.recursive, n.calls, n.unwound, n.total_ns,
                    n.self_ns, n.max_ns, n.blocked_ns, n.runq_ns, n.self_blocked_ns,
                    n.self_runq_ns));
    call_nodes_[id] = n;
  }
  if (known <= nodes.size()) return {};
  Result<Statement> cut = database.prepare("DELETE FROM call_node WHERE id >= ?");
  if (!cut) return std::unexpected(cut.error());
  return cut->run(nodes.size());
}

Result<void> CallTables::put_latency(Database& database, const Recording& recording) {
  const std::span<const LatencyColumn> columns(recording.latency_columns);
  if (latency_done_ >= columns.size()) return {};
  Result<Statement> row = database.prepare("INSERT OR REPLACE INTO latency VALUES (?,?,?)");
  if (!row) return std::unexpected(row.error());
  for (const LatencyColumn& c : columns.subspan(latency_done_)) {
    const auto before =
        std::ranges::lower_bound(last_second_, std::pair(c.second, c.function), {}, place_of);
    if (before != last_second_.end() && *before == c) continue;
    CS_TRY(row->run(c.second, c.function, slots_text(c.histogram)));
  }
  const auto last =
      std::ranges::lower_bound(columns, columns.back().second, {}, &LatencyColumn::second);
  latency_done_ = static_cast<std::size_t>(last - columns.begin());
  last_second_.assign(last, columns.end());
  return {};
}

Result<void> CallTables::put_slow_calls(Database& database, const Recording& recording) {
  if (slow_calls_ >= recording.slow_calls.size()) return {};
  Result<Statement> row = database.prepare("INSERT INTO slow_call VALUES (?,?,?,?,?,?,?,?,?,?)");
  if (!row) return std::unexpected(row.error());
  for (; slow_calls_ < recording.slow_calls.size(); ++slow_calls_) {
    const SlowCall& s = recording.slow_calls[slow_calls_];
    CS_TRY(row->run(slow_calls_, s.function, s.pid, s.tid, s.t_ns, s.duration_ns, s.blocked_ns,
                    s.runq_ns, s.stack, numbers_text(s.args)));
  }
  return {};
}

}  // namespace callscope::store
