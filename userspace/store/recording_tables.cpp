// SPDX-License-Identifier: Apache-2.0
#include "store/recording_tables.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "callscope/names.hpp"
#include "store/column_text.hpp"
#include "store/schema.hpp"

namespace callscope::store {
namespace {

// Prepares sql once and runs it for every element of items from index first on.
template <typename T, typename RunRow>
Result<void> append_rows(Database& database, const char* sql, const std::vector<T>& items,
                         std::size_t& first, RunRow run_row) {
  if (first >= items.size()) return {};
  Result<Statement> insert = database.prepare(sql);
  if (!insert) return std::unexpected(insert.error());
  for (; first < items.size(); ++first) CS_TRY(run_row(*insert, first, items[first]));
  return {};
}

// Writes the rows that are not as they were before.
template <typename Rows>
Result<void> put_changed(Database& database, const char* sql, const Rows& now, const Rows& before) {
  Result<Statement> upsert = database.prepare(sql);
  if (!upsert) return std::unexpected(upsert.error());
  auto old = before.begin();
  for (const auto& [key, numbers] : now) {
    while (old != before.end() && old->first < key) ++old;
    if (old != before.end() && old->first == key && old->second == numbers) continue;
    CS_TRY(std::apply([&](const auto&... values) { return upsert->run(values...); },
                      std::tuple_cat(key, numbers)));
  }
  return {};
}

}  // namespace

Result<void> RecordingTables::put(Database& database, const Recording& recording, bool finished) {
  if (clear_tables_) {
    for (const std::string_view table : kTables) {
      CS_TRY(database.execute(("DELETE FROM " + std::string(table)).c_str()));
    }
    clear_tables_ = false;
  }
  if (finished) {
    // They have changed: debug information added lines and what is inlined.
    CS_TRY(database.execute("DELETE FROM frame; DELETE FROM stack"));
    frames_ = stacks_ = 0;
  }
  CS_TRY(put_run(database, recording, finished));
  CS_TRY(put_processes(database, recording));
  CS_TRY(put_appended(database, recording));
  CS_TRY(put_cpu(database, recording));
  CS_TRY(put_waits(database, recording));
  CS_TRY(put_faults(database, recording));
  CS_TRY(calls_.put(database, recording));
  CS_TRY(spans_.put(database, recording));
  CS_TRY(put_snapshots(database, recording));
  return put_quality(database, recording);
}

Result<void> RecordingTables::put_run(Database& database, const Recording& recording,
                                      bool finished) {
  Result<Statement> run =
      database.prepare("INSERT OR REPLACE INTO recording VALUES (1,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!run) return std::unexpected(run.error());
  CS_TRY(run->run(recording.tool_version, recording.start_unix_ns, recording.duration_ns, finished,
                  recording.sample_hz, recording.sample_event, recording.probe_mechanism,
                  recording.budget_percent, recording.calls_by_thread, recording.off_cpu_split,
                  recording.off_cpu, recording.page_faults));
  Result<Statement> costs =
      database.prepare("INSERT OR REPLACE INTO probe_cost VALUES (1,?,?,?,?,?,?)");
  if (!costs) return std::unexpected(costs.error());
  const ProbeCosts& c = recording.probe_costs;
  CS_TRY(costs->run(c.emulated_entry_ns, c.stepped_entry_ns, c.return_ns, c.emulated_exit_ns,
                    c.stepped_exit_ns, c.counted_entry_ns));
  Result<Statement> host = database.prepare("INSERT OR REPLACE INTO host VALUES (1,?,?,?,?,?,?)");
  if (!host) return std::unexpected(host.error());
  const Host& h = recording.host;
  CS_TRY(host->run(h.kernel, h.machine, h.hostname, h.cpu_model, h.cpus, h.memory_bytes));
  Result<Statement> target =
      database.prepare("INSERT OR REPLACE INTO target VALUES (1,?,?,?,?,?,?,?,?,?)");
  if (!target) return std::unexpected(target.error());
  const Target& t = recording.target;
  return target->run(t.pid, t.comm, t.exe, t.cmdline, t.build_id, t.start_ticks, t.launched,
                     t.exit_status, t.ended_by);
}

Result<void> RecordingTables::put_appended(Database& database, const Recording& recording) {
  CS_TRY(append_rows(database, "INSERT INTO module VALUES (?,?,?,?)", recording.modules, modules_,
                     [](Statement& insert, std::size_t id, const Module& m) {
                       return insert.run(id, name_of(m.kind), m.path, m.build_id);
                     }));
  CS_TRY(append_rows(database, "INSERT INTO frame VALUES (?,?,?,?,?,?,?,?)", recording.frames,
                     frames_, [](Statement& insert, std::size_t id, const Frame& f) {
                       return insert.run(id, f.module, f.addr, f.function, f.sym_off, f.file,
                                         f.line, f.inline_depth);
                     }));
  CS_TRY(append_rows(database, "INSERT INTO stack VALUES (?,?,?,?)", recording.stacks, stacks_,
                     [](Statement& insert, std::size_t id, const Stack& s) {
                       return insert.run(id, s.truncated, ids_text(s.frames), name_of(s.end));
                     }));
  CS_TRY(append_rows(database, "INSERT INTO thread VALUES (?,?,?,?)", recording.threads, threads_,
                     [](Statement& insert, std::size_t id, const Thread& t) {
                       return insert.run(id, t.pid, t.tid, t.comm);
                     }));
  return append_rows(database, "INSERT INTO note VALUES (?,?)", recording.notes, notes_,
                     [](Statement& insert, std::size_t id, const std::string& text) {
                       return insert.run(id, text);
                     });
}

Result<void> RecordingTables::put_processes(Database& database, const Recording& recording) {
  if (recording.processes == processes_) return {};
  CS_TRY(database.execute("DELETE FROM process"));
  std::size_t first = 0;
  CS_TRY(append_rows(database, "INSERT INTO process VALUES (?,?,?,?,?,?)", recording.processes,
                     first, [](Statement& insert, std::size_t id, const ProcessInfo& p) {
                       return insert.run(id, p.pid, p.parent_pid, p.comm, p.since_ns, p.timed);
                     }));
  processes_ = recording.processes;
  return {};
}

Result<void> RecordingTables::put_cpu(Database& database, const Recording& recording) {
  std::map<StackKey, CpuCounts> now;
  for (const CpuSamples& s : recording.cpu) {
    auto& [count, slow_count] = now[{s.stack, s.pid, s.tid}];
    count += s.count;
    slow_count += s.slow_count;
  }
  CS_TRY(put_changed(database, "INSERT OR REPLACE INTO cpu_sample VALUES (?,?,?,?,?)", now, cpu_));
  cpu_ = std::move(now);
  return {};
}

Result<void> RecordingTables::put_waits(Database& database, const Recording& recording) {
  std::map<StackKey, WaitTimes> now;
  for (const Waits& w : recording.waits) {
    auto& [count, blocked_ns, runq_ns] = now[{w.stack, w.pid, w.tid}];
    count += w.count;
    blocked_ns += w.blocked_ns;
    runq_ns += w.runq_ns;
  }
  CS_TRY(put_changed(database, "INSERT OR REPLACE INTO wait VALUES (?,?,?,?,?,?)", now, waits_));
  waits_ = std::move(now);
  return {};
}

Result<void> RecordingTables::put_faults(Database& database, const Recording& recording) {
  std::map<StackKey, FaultCounts> now;
  for (const PageFaults& f : recording.faults) std::get<0>(now[{f.stack, f.pid, f.tid}]) += f.count;
  CS_TRY(put_changed(database, "INSERT OR REPLACE INTO page_fault VALUES (?,?,?,?)", now, faults_));
  faults_ = std::move(now);
  return {};
}

Result<void> RecordingTables::put_snapshots(Database& database, const Recording& recording) {
  std::vector<std::uint64_t> now;
  now.reserve(recording.snapshots.size());
  for (const ResourceSnapshot& s : recording.snapshots) now.push_back(s.t_ns);
  std::ranges::sort(now);
  if (now == snapshot_times_) return {};
  Result<Statement> remove = database.prepare("DELETE FROM snapshot WHERE t_ns = ?");
  if (!remove) return std::unexpected(remove.error());
  for (const std::uint64_t t_ns : snapshot_times_) {
    if (!std::ranges::binary_search(now, t_ns)) CS_TRY(remove->run(t_ns));
  }
  Result<Statement> insert = database.prepare(
      "INSERT OR REPLACE INTO snapshot VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!insert) return std::unexpected(insert.error());
  for (const ResourceSnapshot& s : recording.snapshots) {
    if (std::ranges::binary_search(snapshot_times_, s.t_ns)) continue;
    CS_TRY(insert->run(s.t_ns, s.rss_bytes, s.vms_bytes, s.pss_bytes, s.swap_bytes, s.minor_faults,
                       s.major_faults, s.threads, s.fds, s.fd_files, s.fd_sockets, s.fd_pipes,
                       s.fd_anon, s.fd_other, s.utime_ns, s.stime_ns, s.voluntary_switches,
                       s.involuntary_switches, s.read_bytes, s.written_bytes));
  }
  snapshot_times_ = std::move(now);
  return {};
}

Result<void> RecordingTables::put_quality(Database& database, const Recording& recording) {
  if (recording.quality == quality_) return {};
  CS_TRY(database.execute("DELETE FROM quality"));
  std::size_t first = 0;
  CS_TRY(append_rows(database, "INSERT INTO quality VALUES (?,?,?,?,?)", recording.quality, first,
                     [](Statement& insert, std::size_t id, const QualityItem& q) {
                       return insert.run(id, q.key, q.value, q.loss, q.meaning);
                     }));
  quality_ = recording.quality;
  return {};
}

}  // namespace callscope::store
