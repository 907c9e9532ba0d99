// SPDX-License-Identifier: Apache-2.0
#include "store/span_tables.hpp"

#include <string>

#include "callscope/abi/histogram.h"
#include "store/read_rows.hpp"

namespace callscope::store {
namespace {

Result<void> put_histogram(Statement& upsert, std::size_t id, const SpanStats& now,
                           const SpanStats& before) {
  auto old = before.histogram.begin();
  for (const auto& slot : now.histogram) {
    while (old != before.histogram.end() && old->first < slot.first) ++old;
    if (old != before.histogram.end() && *old == slot) continue;
    CS_TRY(upsert.run(id, slot.first, slot.second));
  }
  return {};
}

Result<bool> has_tables(Database& database) {
  Result<Statement> tables = database.prepare(
      "SELECT count(*) FROM sqlite_schema WHERE name IN ('span', 'span_histogram')");
  if (!tables) return std::unexpected(tables.error());
  const bool both = tables->next() && tables->number<int>(0) == 2;
  CS_TRY(tables->status());
  return both;
}

}  // namespace

Result<void> SpanTables::put(Database& database, const Recording& recording) {
  if (recording.spans == spans_) return {};
  Result<Statement> row =
      database.prepare("INSERT OR REPLACE INTO span VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!row) return std::unexpected(row.error());
  Result<Statement> slot = database.prepare("INSERT OR REPLACE INTO span_histogram VALUES (?,?,?)");
  if (!slot) return std::unexpected(slot.error());
  const std::size_t known = spans_.size();
  spans_.resize(recording.spans.size());
  for (std::size_t id = 0; id < recording.spans.size(); ++id) {
    const SpanStats& now = recording.spans[id];
    SpanStats& before = spans_[id];
    if (id < known && now == before) continue;
    CS_TRY(row->run(id, now.name, now.from, now.to, now.keyed_by, now.begun, now.finished,
                    now.restarted, now.unmatched, now.open, now.abandoned, now.lost, now.sum_ns,
                    now.min_ns, now.max_ns));
    CS_TRY(put_histogram(*slot, id, now, before));
    before = now;
  }
  return {};
}

Result<void> read_spans(Database& database, Recording& out) {
  const Result<bool> there = has_tables(database);
  if (!there) return std::unexpected(there.error());
  if (!*there) return {};
  CS_TRY(for_rows(database, "span",
                  "SELECT id, name, from_point, to_point, keyed_by, begun, finished, restarted,"
                  " unmatched, open, abandoned, lost, sum_ns, min_ns, max_ns FROM span ORDER BY id",
                  [&](Statement& row) {
                    SpanStats& s = out.spans.emplace_back();
                    s.name = row.text(1);
                    s.from = row.text(2);
                    s.to = row.text(3);
                    s.keyed_by = row.text(4);
                    s.begun = row.u64(5);
                    s.finished = row.u64(6);
                    s.restarted = row.u64(7);
                    s.unmatched = row.u64(8);
                    s.open = row.u64(9);
                    s.abandoned = row.u64(10);
                    s.lost = row.u64(11);
                    s.sum_ns = row.u64(12);
                    s.min_ns = row.u64(13);
                    s.max_ns = row.u64(14);
                    return row.number<std::size_t>(0) + 1 == out.spans.size() &&
                           s.min_ns <= s.max_ns;
                  }));
  return for_rows(database, "span_histogram",
                  "SELECT span, slot, count FROM span_histogram ORDER BY span, slot",
                  [&](Statement& row) {
                    const std::uint64_t id = row.u64(0);
                    const auto slot = row.number<std::uint32_t>(1);
                    if (id >= out.spans.size() || slot >= CS_HIST_SLOTS) return false;
                    out.spans[id].histogram.emplace_back(slot, row.u64(2));
                    return true;
                  });
}

}  // namespace callscope::store
