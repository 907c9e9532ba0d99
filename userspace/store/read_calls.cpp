// SPDX-License-Identifier: Apache-2.0
#include "store/read_calls.hpp"

#include "callscope/abi/histogram.h"
#include "callscope/names.hpp"
#include "store/column_text.hpp"
#include "store/read_rows.hpp"
#include "store/schema.hpp"

namespace callscope::store {
namespace {

constexpr std::size_t kMaxArgs = 6;
constexpr std::uint32_t kMaxTreeDepth = 1024;  // a recorder's shadow stack has 64 places

bool read_function(Statement& row, const Recording& recording, FunctionStats& f) {
  f.name = row.text(1);
  f.module = row.number<std::uint32_t>(2);
  f.addr = row.u64(3);
  f.size_bytes = row.u64(4);
  f.calls = row.u64(6);
  f.returns = row.u64(7);
  f.unwound = row.u64(8);
  f.running = row.u64(9);
  f.untimed = row.u64(10);
  f.total_ns = row.u64(11);
  f.self_ns = row.u64(12);
  f.sum_ns = row.u64(13);
  f.min_ns = row.u64(14);
  f.max_ns = row.u64(15);
  f.probe_cost_ns = row.u64(16);
  f.tail_exits = row.u64(17);
  f.site_addr = row.u64(18);
  f.emulated_entry = row.flag(19);
  f.emulated_exits = row.flag(20);
  f.inlined_copies = row.u64(21);
  f.threw = row.u64(22);
  f.skipped = row.u64(23);
  f.sample_every = row.u64(24);
  f.untimed_ns = row.u64(25);
  f.detached_ns = row.u64(26);
  f.blocked_ns = row.u64(27);
  f.runq_ns = row.u64(28);
  f.self_blocked_ns = row.u64(29);
  f.self_runq_ns = row.u64(30);
  f.attached_ns = row.u64(31);
  f.file = row.text(32);
  f.line = row.number<std::uint32_t>(33);
  return f.module < recording.modules.size() && f.min_ns <= f.max_ns && f.sample_every > 0 &&
         parse_name(kExitModeNames, row.text(5), f.exit);
}

Result<void> read_functions(Database& database, Recording& out) {
  CS_TRY(
      for_rows(database, "function",
               "SELECT id, name, module, addr, size_bytes, exit_mode, calls, returns, unwound,"
               " running, untimed, total_ns, self_ns, sum_ns, min_ns, max_ns, probe_cost_ns,"
               " tail_exits, site_addr, emulated_entry, emulated_exits, inlined_copies, threw,"
               " skipped, sample_every, untimed_ns, detached_ns, blocked_ns, runq_ns,"
               " self_blocked_ns, self_runq_ns, attached_ns, file, line FROM function ORDER BY id",
               [&](Statement& row) {
                 const std::size_t id = out.functions.size();
                 FunctionStats& f = out.functions.emplace_back();
                 return row.number<std::size_t>(0) == id && read_function(row, out, f);
               }));
  CS_TRY(for_rows(database, "function_alias",
                  "SELECT function, name FROM function_alias ORDER BY function, position",
                  [&](Statement& row) {
                    const std::uint64_t id = row.u64(0);
                    if (id >= out.functions.size()) return false;
                    out.functions[id].aliases.push_back(row.text(1));
                    return true;
                  }));
  return for_rows(database, "function_histogram",
                  "SELECT function, slot, count FROM function_histogram ORDER BY function, slot",
                  [&](Statement& row) {
                    const std::uint64_t id = row.u64(0);
                    const std::uint32_t slot = row.number<std::uint32_t>(1);
                    if (id >= out.functions.size() || slot >= CS_HIST_SLOTS) return false;
                    out.functions[id].histogram.emplace_back(slot, row.u64(2));
                    return true;
                  });
}

// Parents come first, so that no walk towards the root or the leaves can run in a circle; and
// the tree is so flat that the paths of all its nodes fit into memory.
Result<void> read_call_nodes(Database& database, Recording& out) {
  std::vector<std::uint32_t> depths;
  return for_rows(
      database, "call_node",
      "SELECT id, parent, function, tid, recursive, calls, unwound, total_ns, self_ns, max_ns,"
      " blocked_ns, runq_ns, self_blocked_ns, self_runq_ns FROM call_node ORDER BY id",
      [&](Statement& row) {
        const std::size_t id = out.call_nodes.size();
        CallNode& n = out.call_nodes.emplace_back();
        n = {.id = row.number<std::uint32_t>(0),
             .parent = row.is_null(1) ? CallNode::kNoParent : row.number<std::uint32_t>(1),
             .function = row.number<std::uint32_t>(2),
             .tid = row.number<std::int32_t>(3),
             .recursive = row.flag(4),
             .calls = row.u64(5),
             .unwound = row.u64(6),
             .total_ns = row.u64(7),
             .self_ns = row.u64(8),
             .max_ns = row.u64(9),
             .blocked_ns = row.u64(10),
             .runq_ns = row.u64(11),
             .self_blocked_ns = row.u64(12),
             .self_runq_ns = row.u64(13)};
        const bool root = row.is_null(1);
        if (n.id != id || n.function >= out.functions.size()) return false;
        if (!root && n.parent >= id) return false;
        depths.push_back(root ? 0 : depths[n.parent] + 1);
        return depths.back() < kMaxTreeDepth;
      });
}

Result<void> read_latency(Database& database, Recording& out) {
  return for_rows(database, "latency",
                  "SELECT second, function, histogram FROM latency ORDER BY second, function",
                  [&](Statement& row) {
                    LatencyColumn& c = out.latency_columns.emplace_back();
                    c.second = row.number<std::uint32_t>(0);
                    c.function = row.number<std::uint32_t>(1);
                    return c.function < out.functions.size() &&
                           parse_slots(row.text(2), c.histogram);
                  });
}

Result<void> read_slow_calls(Database& database, Recording& out) {
  return for_rows(
      database, "slow_call",
      "SELECT id, function, pid, tid, t_ns, duration_ns, blocked_ns, runq_ns, stack, args"
      " FROM slow_call ORDER BY id",
      [&](Statement& row) {
        const std::size_t id = out.slow_calls.size();
        SlowCall& s = out.slow_calls.emplace_back();
        s.function = row.number<std::uint32_t>(1);
        s.pid = row.number<std::int32_t>(2);
        s.tid = row.number<std::int32_t>(3);
        s.t_ns = row.u64(4);
        s.duration_ns = row.u64(5);
        s.blocked_ns = row.u64(6);
        s.runq_ns = row.u64(7);
        if (!row.is_null(8)) s.stack = row.number<std::uint32_t>(8);
        const bool stack_known = !s.stack || *s.stack < out.stacks.size();
        return row.number<std::size_t>(0) == id && s.function < out.functions.size() &&
               stack_known && parse_numbers(row.text(9), kMaxArgs, s.args);
      });
}

}  // namespace

Result<void> read_calls(Database& database, Recording& out) {
  CS_TRY(read_functions(database, out));
  CS_TRY(read_call_nodes(database, out));
  CS_TRY(read_latency(database, out));
  return read_slow_calls(database, out);
}

}  // namespace callscope::store
