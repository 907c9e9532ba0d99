// SPDX-License-Identifier: Apache-2.0
#include "store/read_tables.hpp"

#include <string>
#include <utility>

#include "callscope/names.hpp"
#include "store/column_text.hpp"
#include "store/read_calls.hpp"
#include "store/read_rows.hpp"
#include "store/schema.hpp"
#include "store/span_tables.hpp"

namespace callscope::store {
namespace {

Result<void> read_run(Database& database, Recording& out) {
  bool found = false;
  CS_TRY(for_rows(database, "recording",
                  "SELECT tool_version, start_unix_ns, duration_ns, finished, sample_hz,"
                  " sample_event, probe_mechanism, budget_percent, calls_by_thread,"
                  " off_cpu_split, off_cpu, page_faults FROM recording",
                  [&](Statement& row) {
                    out.tool_version = row.text(0);
                    out.start_unix_ns = row.u64(1);
                    out.duration_ns = row.u64(2);
                    out.finished = row.flag(3);
                    out.sample_hz = row.number<std::uint32_t>(4);
                    out.sample_event = row.text(5);
                    out.probe_mechanism = row.text(6);
                    out.budget_percent = row.real(7);
                    out.calls_by_thread = row.flag(8);
                    out.off_cpu_split = row.flag(9);
                    out.off_cpu = row.flag(10);
                    out.page_faults = row.flag(11);
                    return !std::exchange(found, true);
                  }));
  if (!found) {
    return fail(ErrorCode::kCorrupt, database.path() + " holds no data",
                "its recorder ended before it could write; record again");
  }
  return for_rows(
      database, "probe_cost",
      "SELECT emulated_entry_ns, stepped_entry_ns, return_ns, emulated_exit_ns, stepped_exit_ns,"
      " counted_entry_ns FROM probe_cost",
      [&](Statement& row) {
        out.probe_costs = {row.u64(0), row.u64(1), row.u64(2), row.u64(3), row.u64(4), row.u64(5)};
        return true;
      });
}

Result<void> read_host_and_target(Database& database, Recording& out) {
  CS_TRY(for_rows(
      database, "host", "SELECT kernel, machine, hostname, cpu_model, cpus, memory_bytes FROM host",
      [&](Statement& row) {
        out.host = {
            row.text(0), row.text(1), row.text(2), row.text(3), row.number<std::uint32_t>(4),
            row.u64(5)};
        return true;
      }));
  CS_TRY(for_rows(database, "target",
                  "SELECT pid, comm, exe, cmdline, build_id, start_ticks, launched, exit_status,"
                  " ended_by FROM target",
                  [&](Statement& row) {
                    Target& t = out.target;
                    t.pid = row.number<std::int32_t>(0);
                    t.comm = row.text(1);
                    t.exe = row.text(2);
                    t.cmdline = row.text(3);
                    t.build_id = row.text(4);
                    t.start_ticks = row.u64(5);
                    t.launched = row.flag(6);
                    if (!row.is_null(7)) t.exit_status = row.number<int>(7);
                    t.ended_by = row.text(8);
                    return true;
                  }));
  return for_rows(
      database, "process", "SELECT pid, parent_pid, comm, since_ns, timed FROM process ORDER BY id",
      [&](Statement& row) {
        out.processes.push_back({row.number<std::int32_t>(0), row.number<std::int32_t>(1),
                                 row.text(2), row.u64(3), row.flag(4)});
        return true;
      });
}

Result<void> read_code(Database& database, Recording& out) {
  CS_TRY(for_rows(database, "module", "SELECT id, kind, path, build_id FROM module ORDER BY id",
                  [&](Statement& row) {
                    Module& m = out.modules.emplace_back();
                    m.id = row.number<std::uint32_t>(0);
                    m.path = row.text(2);
                    m.build_id = row.text(3);
                    return m.id + 1 == out.modules.size() &&
                           parse_name(kModuleKindNames, row.text(1), m.kind);
                  }));
  CS_TRY(for_rows(database, "frame",
                  "SELECT id, module, addr, function, sym_off, file, line, inline_depth FROM frame "
                  "ORDER BY id",
                  [&](Statement& row) {
                    Frame& f = out.frames.emplace_back();
                    f = {row.number<std::uint32_t>(0),
                         row.number<std::uint32_t>(1),
                         row.u64(2),
                         row.text(3),
                         row.u64(4),
                         row.text(5),
                         row.number<std::uint32_t>(6),
                         row.number<std::uint32_t>(7)};
                    return f.id + 1 == out.frames.size() && f.module < out.modules.size();
                  }));
  return for_rows(
      database, "stack", "SELECT id, truncated, frames, walk_end FROM stack ORDER BY id",
      [&](Statement& row) {
        Stack& s = out.stacks.emplace_back();
        s.id = row.number<std::uint32_t>(0);
        s.truncated = row.flag(1);
        return s.id + 1 == out.stacks.size() && parse_name(kStackEndNames, row.text(3), s.end) &&
               parse_ids(row.text(2), out.frames.size(), s.frames);
      });
}

Result<void> read_samples(Database& database, Recording& out) {
  CS_TRY(for_rows(database, "thread", "SELECT pid, tid, comm FROM thread ORDER BY id",
                  [&](Statement& row) {
                    out.threads.push_back(
                        {row.number<std::int32_t>(0), row.number<std::int32_t>(1), row.text(2)});
                    return true;
                  }));
  CS_TRY(for_rows(
      database, "wait",
      "SELECT stack, pid, tid, count, blocked_ns, runq_ns FROM wait ORDER BY stack, pid, tid",
      [&](Statement& row) {
        const Waits& w = out.waits.emplace_back(
            Waits{row.number<std::uint32_t>(0), row.number<std::int32_t>(1),
                  row.number<std::int32_t>(2), row.u64(3), row.u64(4), row.u64(5)});
        return w.stack < out.stacks.size();
      }));
  CS_TRY(for_rows(database, "page_fault",
                  "SELECT stack, pid, tid, count FROM page_fault ORDER BY stack, pid, tid",
                  [&](Statement& row) {
                    out.faults.push_back({row.number<std::uint32_t>(0), row.number<std::int32_t>(1),
                                          row.number<std::int32_t>(2), row.u64(3)});
                    return out.faults.back().stack < out.stacks.size();
                  }));
  return for_rows(
      database, "cpu_sample",
      "SELECT stack, pid, tid, count, slow_count FROM cpu_sample ORDER BY stack, pid, tid",
      [&](Statement& row) {
        const CpuSamples& s = out.cpu.emplace_back(
            CpuSamples{row.number<std::uint32_t>(0), row.number<std::int32_t>(1),
                       row.number<std::int32_t>(2), row.u64(3), row.u64(4)});
        return s.stack < out.stacks.size() && s.slow_count <= s.count;
      });
}

Result<void> read_snapshots(Database& database, Recording& out) {
  return for_rows(
      database, "snapshot",
      "SELECT t_ns, rss_bytes, vms_bytes, pss_bytes, swap_bytes, minor_faults, major_faults,"
      " threads, fds, fd_files, fd_sockets, fd_pipes, fd_anon, fd_other, utime_ns, stime_ns,"
      " voluntary_switches, involuntary_switches, read_bytes, written_bytes"
      " FROM snapshot ORDER BY t_ns",
      [&](Statement& row) {
        out.snapshots.push_back({row.u64(0),  row.u64(1),  row.u64(2),  row.u64(3),  row.u64(4),
                                 row.u64(5),  row.u64(6),  row.u64(7),  row.u64(8),  row.u64(9),
                                 row.u64(10), row.u64(11), row.u64(12), row.u64(13), row.u64(14),
                                 row.u64(15), row.u64(16), row.u64(17), row.u64(18), row.u64(19)});
        return true;
      });
}

Result<void> read_quality_and_notes(Database& database, Recording& out) {
  CS_TRY(for_rows(database, "quality", "SELECT key, value, loss, meaning FROM quality ORDER BY id",
                  [&](Statement& row) {
                    out.quality.push_back({row.text(0), row.u64(1), row.flag(2), row.text(3)});
                    return true;
                  }));
  return for_rows(database, "note", "SELECT text FROM note ORDER BY id", [&](Statement& row) {
    out.notes.push_back(row.text(0));
    return true;
  });
}

}  // namespace

Result<Recording> read_tables(Database& database) {
  Recording recording;
  CS_TRY(read_run(database, recording));
  CS_TRY(read_host_and_target(database, recording));
  CS_TRY(read_code(database, recording));
  CS_TRY(read_samples(database, recording));
  CS_TRY(read_calls(database, recording));
  CS_TRY(read_spans(database, recording));
  CS_TRY(read_snapshots(database, recording));
  CS_TRY(read_quality_and_notes(database, recording));
  return recording;
}

}  // namespace callscope::store
