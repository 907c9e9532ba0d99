// SPDX-License-Identifier: Apache-2.0
// Stacks, waits and page faults in the JSON report. Pure functions; private to this folder.
#pragma once

#include "callscope/recording.hpp"
#include "report/json_sections.hpp"

namespace callscope {

// {"frames": root first, "lines": of each frame, "truncated", "end"}.
Json stack_json(const Recording& recording, const Stack& stack);

// Table Recording::waits, by time.
Json off_cpu_json(const Recording& recording);

// Table Recording::faults, by number.
Json page_faults_json(const Recording& recording);

}  // namespace callscope
