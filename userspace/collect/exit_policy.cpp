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

ExitPolicy choose_exit_policy(const SafetyFacts& facts, std::string_view kernel_release,
                              bool can_hold) {
  constexpr std::string_view kSites = "calls end at probed ret instructions";
  const ReturnProbeVerdict verdict = return_probe_verdict(facts, kernel_release);
  ExitPolicy policy;
  policy.shadow_stack = facts.shadow_stack;
  if (stacks_are_unusual(facts)) {
    policy.best = ExitMode::kEntryOnly;
    policy.reason = "entry counts only: " + verdict.reason;
    return policy;
  }
  policy.best = ExitMode::kRetSite;
  const bool forks_and_loads = !facts.forkers.empty() && !facts.loaders.empty();
  if (!facts.throwers.empty() || !facts.unwinders.empty() || forks_and_loads)
    policy.return_probes_where_proven =
        can_hold && !verdict.kernel_danger && !facts.cancels_anywhere;
  if (!verdict.safe) {
    policy.reason = fmt::format("{}: {}", kSites, verdict.reason);
  } else if (!facts.unwinders.empty()) {
    policy.reason =
        fmt::format("{}: {} is mapped, and unwinding across a return probe kills the process",
                    kSites, file_name(facts.unwinders.front()));
  } else if (forks_and_loads) {
    // A forked child has its parent's breakpoints, and the kernel arms return probes there without
    // asking us: they could not be held back when the child loads an unwinder.
    policy.reason = fmt::format("{}: {} may fork a child that loads an unwinder", kSites,
                                file_name(facts.forkers.front()));
  } else if (!can_hold && !facts.loaders.empty()) {
    policy.reason = fmt::format(
        "{}: {} may load an unwinder or change stacks, and this kernel cannot hold return probes "
        "back",
        kSites, file_name(facts.loaders.front()));
  } else {
    policy.best = ExitMode::kUretprobe;
    policy.main_only = !can_hold;  // what is executed next has other libraries
  }
  return policy;
}

Result<ExitPolicy> with_exit_mode(ExitPolicy policy, ExitMode wanted, bool unsafe) {
  // The enumerators go from the most to the least intrusive.
  if (wanted < policy.best && !unsafe)
    return fail(ErrorCode::kUsage, "this exit mode is not safe in the target: " + policy.reason,
                "leave --exit-mode at auto, or add --unsafe and risk the target");
  if (wanted < policy.best)
    policy.reason = "UNSAFE exits as asked for by --unsafe, the target may crash: " + policy.reason;
  else if (wanted != policy.best)
    policy.reason = "exits as asked for by --exit-mode";
  policy.forced = true;
  policy.return_probes_where_proven = false;
  policy.best = wanted;
  return policy;
}

}  // namespace callscope
