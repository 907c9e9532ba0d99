// SPDX-License-Identifier: Apache-2.0
// The tables about calls: functions with their histograms, the call tree, latency over time, slow
// calls. Remembers what is in the file, so that a flush writes only differences: at full size
// (10,000 functions, 30,000 nodes) every second. Owned by RecordingTables; the same rules.
#pragma once

#include <cstdint>
#include <vector>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "store/database.hpp"

namespace callscope::store {

class CallTables {
 public:
  Result<void> put(Database& database, const Recording& recording);

 private:
  Result<void> put_functions(Database& database, const Recording& recording);
  Result<void> put_call_nodes(Database& database, const Recording& recording);
  Result<void> put_latency(Database& database, const Recording& recording);
  Result<void> put_slow_calls(Database& database, const Recording& recording);

  std::vector<FunctionStats> functions_;
  std::vector<CallNode> call_nodes_;
  std::size_t latency_done_ = 0;            // columns of all seconds but the last that was flushed
  std::vector<LatencyColumn> last_second_;  // the columns behind them, as they were
  std::size_t slow_calls_ = 0;
};

}  // namespace callscope::store
