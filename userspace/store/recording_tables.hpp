// SPDX-License-Identifier: Apache-2.0
// Puts the parts of a Recording into the tables of an open transaction and remembers what is
// there, so that the next flush writes only differences. Owned by RecordingWriter; after a
// rolled-back transaction the memory is wrong: construct a new one with clear_tables = true.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "store/call_tables.hpp"
#include "store/database.hpp"
#include "store/span_tables.hpp"

namespace callscope::store {

class RecordingTables {
 public:
  explicit RecordingTables(bool clear_tables) : clear_tables_(clear_tables) {}

  Result<void> put(Database& database, const Recording& recording, bool finished);

 private:
  Result<void> put_run(Database& database, const Recording& recording, bool finished);
  Result<void> put_processes(Database& database, const Recording& recording);
  Result<void> put_appended(Database& database, const Recording& recording);
  Result<void> put_cpu(Database& database, const Recording& recording);
  Result<void> put_waits(Database& database, const Recording& recording);
  Result<void> put_faults(Database& database, const Recording& recording);
  Result<void> put_snapshots(Database& database, const Recording& recording);
  Result<void> put_quality(Database& database, const Recording& recording);

  using StackKey = std::tuple<std::uint32_t, std::int32_t, std::int32_t>;  // stack, pid, tid
  using CpuCounts = std::tuple<std::uint64_t, std::uint64_t>;              // count, slow_count
  // count, blocked_ns, runq_ns
  using WaitTimes = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;
  using FaultCounts = std::tuple<std::uint64_t>;

  bool clear_tables_;
  std::size_t modules_ = 0;
  std::size_t frames_ = 0;
  std::size_t stacks_ = 0;
  std::size_t threads_ = 0;
  std::size_t notes_ = 0;
  std::map<StackKey, CpuCounts> cpu_;
  std::map<StackKey, WaitTimes> waits_;
  std::map<StackKey, FaultCounts> faults_;
  CallTables calls_;
  SpanTables spans_;
  std::vector<ProcessInfo> processes_;
  std::vector<std::uint64_t> snapshot_times_;  // ascending
  std::vector<QualityItem> quality_;
};

}  // namespace callscope::store
