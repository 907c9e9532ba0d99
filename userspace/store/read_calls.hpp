// SPDX-License-Identifier: Apache-2.0
// The tables about calls (functions, call tree, latency over time, slow calls) into a Recording
// whose modules and stacks are read already. Part of read_tables; the same distrust.
#pragma once

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "store/database.hpp"

namespace callscope::store {

Result<void> read_calls(Database& database, Recording& out);

}  // namespace callscope::store
