// SPDX-License-Identifier: Apache-2.0
// The safety of the target, decided before anything is probed: may return probes be used, or only
// probes that never touch the stack, or entry counts alone. Errs on the side of the target.
#pragma once

#include <string>
#include <string_view>

#include "bpf/uprobe_set.hpp"
#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "target/safety.hpp"

namespace callscope {

// How the end of calls may be seen in a process.
struct ExitPolicy {
  ExitMode best = ExitMode::kUretprobe;  // what a function gets if it can
  // Where best is ret-site only since an unwinder is there: functions that no unwinder can pass may
  // have return probes all the same (probes/unwind_proof.hpp).
  bool return_probes_where_proven = false;
  bool main_only = false;  // return probes in the executable alone, not in libraries
  bool forced = false;     // as the user said, not as found safe
  std::string reason;      // why not better; empty for kUretprobe
};

// kernel_release as uname -r has it. The reason is one line for the user. can_hold: return probes
// can be held back when the target loads code (sessions, with a probe in its loader); without, they
// are for programs that load none.
ExitPolicy choose_exit_policy(const SafetyFacts& facts, std::string_view kernel_release,
                              bool can_hold);

// The policy with another mode asked for. kUsage when that would be less safe than the policy and
// unsafe was not given.
Result<ExitPolicy> with_exit_mode(ExitPolicy policy, ExitMode wanted, bool unsafe);

}  // namespace callscope
