// SPDX-License-Identifier: Apache-2.0
// The safety of the target, decided before anything is probed: may return probes be used, or only
// probes that never touch the stack, or entry counts alone. Errs on the side of the target.
#pragma once

#include <string_view>

#include "callscope/error.hpp"
#include "collect/probe_plan.hpp"
#include "target/safety.hpp"

namespace callscope {

// kernel_release as uname -r has it. The reason is one line for the user.
ExitPolicy choose_exit_policy(const SafetyFacts& facts, std::string_view kernel_release);

// The policy with another mode asked for. kUsage when that would be less safe than the policy.
Result<ExitPolicy> with_exit_mode(ExitPolicy policy, ExitMode wanted);

}  // namespace callscope
