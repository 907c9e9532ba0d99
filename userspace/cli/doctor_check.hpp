// SPDX-License-Identifier: Apache-2.0
// The checks of `callscope doctor`: each finds one fact by trying or reading, says what it means
// and what to do about it. Reads only; nothing here prints. The machine's checks work without root
// (they then say what root would add); the target's need the right to read the target.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "callscope/error.hpp"

namespace callscope::cli {

enum class CheckStatus { kOk, kWarn, kFail };

struct Check {
  std::string name = {};  // stable: a key of the JSON output
  CheckStatus status = CheckStatus::kOk;
  std::string finding = {};  // what was found and what it means
  std::string advice = {};   // what to do; empty: nothing
};

struct MachineChecks {
  std::vector<Check> checks;
  bool can_record = false;  // CPU sampling or probes work
};

MachineChecks check_machine();

// Errors of Process::open() and inspect_target().
Result<std::vector<Check>> check_target(std::int32_t pid);

}  // namespace callscope::cli
