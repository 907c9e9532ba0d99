// SPDX-License-Identifier: Apache-2.0
#include "collect/exit_policy.hpp"

#include <fmt/format.h>

namespace callscope {
namespace {

// Programs whose stacks are not one contiguous stack a thread: no call can be matched to its exit.
bool stacks_are_unusual(const SafetyFacts& facts) {
  return facts.program_class != ProgramClass::kElf64 || !facts.go_modules.empty() ||
         !facts.fibers.empty() || !facts.unreadable.empty();
}

}  // namespace

ExitPolicy choose_exit_policy(const SafetyFacts& facts, std::string_view kernel_release) {
  const ReturnProbeVerdict verdict = return_probe_verdict(facts, kernel_release);
  if (stacks_are_unusual(facts))
    return {ExitMode::kEntryOnly, "entry counts only: " + verdict.reason};
  if (!verdict.safe)
    return {ExitMode::kRetSite, "calls end at probed ret instructions: " + verdict.reason};
  if (!facts.unwinders.empty())
    return {ExitMode::kRetSite,
            fmt::format("calls end at probed ret instructions: {} is mapped, and unwinding across "
                        "a return probe kills the process",
                        file_name(facts.unwinders.front()))};
  return {ExitMode::kUretprobe, ""};
}

Result<ExitPolicy> with_exit_mode(ExitPolicy policy, ExitMode wanted) {
  // The enumerators go from the most to the least intrusive.
  if (wanted < policy.best)
    return fail(ErrorCode::kUsage, "this exit mode is not safe in the target: " + policy.reason,
                "leave --exit-mode at auto");
  if (wanted != policy.best) policy.reason = "exits as asked for by --exit-mode";
  policy.best = wanted;
  return policy;
}

}  // namespace callscope
