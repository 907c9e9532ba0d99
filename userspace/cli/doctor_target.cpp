// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/utsname.h>

#include <string_view>

#include "cli/doctor_check.hpp"
#include "collect/exit_policy.hpp"
#include "target/process.hpp"
#include "target/safety.hpp"

namespace callscope::cli {
namespace {

std::string list_names(const std::vector<std::string>& paths) {
  constexpr std::size_t kShown = 4;
  std::string text;
  for (std::size_t i = 0; i < paths.size() && i < kShown; ++i)
    text += fmt::format("{}{}", i == 0 ? "" : ", ", file_name(paths[i]));
  if (paths.size() > kShown) text += fmt::format(" and {} more", paths.size() - kShown);
  return text;
}

Check check_process(const Target& target, const Process& process, const SafetyFacts& facts) {
  Check check{.name = "process"};
  check.finding = fmt::format("{} ({}), {} modules", target.pid, target.comm, facts.modules.size());
  const Result<std::int32_t> inner = process.namespace_pid();
  if (facts.other_pid_namespace && inner)
    check.finding += fmt::format("; PID {} in its own namespace", *inner);
  if (facts.other_mount_namespace)
    check.finding += "; in another mount namespace, its files are read through /proc/PID/root";
  return check;
}

Check check_exit_policy(const SafetyFacts& facts) {
  utsname name{};
  ::uname(&name);
  const ExitPolicy policy = choose_exit_policy(facts, name.release, true);
  if (policy.best == ExitMode::kUretprobe) {
    return {.name = "function_latency",
            .finding = "calls are timed by return probes: " +
                       return_probe_verdict(facts, name.release).reason};
  }
  const bool timed = policy.best == ExitMode::kRetSite;
  return {.name = "function_latency",
          .status = timed ? CheckStatus::kOk : CheckStatus::kWarn,
          .finding = policy.reason,
          .advice = timed ? "" : "calls are still counted; use CPU samples for the time"};
}

Check check_exceptions(const SafetyFacts& facts) {
  Check check{.name = "exceptions"};
  if (facts.unwinders.empty() && facts.throwers.empty()) {
    check.finding = "no unwinder is mapped";
  } else if (facts.throwers.empty()) {
    check.finding = "mapped: " + list_names(facts.unwinders) +
                    "; but no module throws or catches through others";
  } else {
    check.status = CheckStatus::kWarn;
    check.finding = "may throw: " + list_names(facts.throwers) +
                    "; a throw across a return probe would end the process";
  }
  return check;
}

Check check_stacks(const SafetyFacts& facts) {
  if (!facts.go_modules.empty()) {
    return {.name = "stacks",
            .status = CheckStatus::kWarn,
            .finding = "Go in " + list_names(facts.go_modules) + ": it moves its stacks"};
  }
  if (!facts.fibers.empty()) {
    return {.name = "stacks",
            .status = CheckStatus::kWarn,
            .finding = "fibers: " + facts.fibers.front() + " switches stacks inside a thread"};
  }
  return {.name = "stacks", .finding = "no Go and no fibers: one stack a thread"};
}

Check check_kernel_guards(const SafetyFacts& facts) {
  constexpr std::string_view kModes[] = {"no seccomp", "strict seccomp", "a seccomp filter"};
  const std::string_view mode = facts.seccomp_mode < 3 ? kModes[facts.seccomp_mode] : "seccomp";
  return {.name = "guards",
          .status = facts.seccomp_mode != 0 ? CheckStatus::kWarn : CheckStatus::kOk,
          .finding = fmt::format(
              "{}{}, {}", mode,
              facts.seccomp_mode != 0 ? " (kills at return probes on kernels 6.11 to 6.13)" : "",
              facts.shadow_stack ? "shadow stack on (return probes need kernel 6.11)"
                                 : "no shadow stack")};
}

Check check_unreadable(const SafetyFacts& facts) {
  if (facts.unreadable.empty())
    return {.name = "modules", .finding = "all mapped programs and libraries were inspected"};
  return {.name = "modules",
          .status = CheckStatus::kWarn,
          .finding = "could not be inspected: " + list_names(facts.unreadable) +
                     "; what they do is unknown, so return probes are off",
          .advice = "run with sudo if permission was the reason"};
}

Check check_symbols(const SafetyFacts& facts) {
  switch (facts.symbols) {
    case SymbolSource::kSymtab:
      return {.name = "symbols", .finding = "the program has its full symbol table"};
    case SymbolSource::kDebugFile:
      return {.name = "symbols", .finding = "stripped; a separate debug file is installed"};
    case SymbolSource::kMiniDebug:
      return {.name = "symbols", .finding = "stripped; it carries .gnu_debugdata with functions"};
    case SymbolSource::kDynamicOnly:
      return {.name = "symbols",
              .status = CheckStatus::kWarn,
              .finding = "stripped: only what the program imports and exports has a name",
              .advice = "install its -dbgsym package to name and probe all functions"};
    case SymbolSource::kNone:
      break;
  }
  return {.name = "symbols",
          .status = CheckStatus::kWarn,
          .finding = "no symbols at all: frames show as module+offset",
          .advice = "install its debug file, or build without -s"};
}

Check check_frame_pointers(const SafetyFacts& facts) {
  const FramePointers& sample = facts.frame_pointers;
  constexpr std::uint64_t kMost = 60;  // percent; optimisers leave some functions without a frame
  constexpr std::uint64_t kFew = 10;
  if (sample.sampled == 0)
    return {.name = "frame_pointers",
            .status = CheckStatus::kWarn,
            .finding = "could not be told: too few functions to look at"};
  const std::uint64_t percent = sample.framed * 100 / sample.sampled;
  const std::string evidence =
      fmt::format("{} % of {} functions looked at begin with a frame", percent, sample.sampled);
  if (percent >= kMost) return {.name = "frame_pointers", .finding = "very likely: " + evidence};
  return {.name = "frame_pointers",
          .status = CheckStatus::kWarn,
          .finding = fmt::format("{}: {}; stacks may end early or skip callers",
                                 percent <= kFew ? "none" : "some", evidence),
          .advice = "for whole stacks build with -fno-omit-frame-pointer"};
}

}  // namespace

Result<std::vector<Check>> check_target(std::int32_t pid) {
  const Result<Process> process = Process::open(pid);
  if (!process) return std::unexpected(process.error());
  const Result<Target> target = process->describe();
  if (!target) return std::unexpected(target.error());
  Result<SafetyFacts> facts = inspect_target(pid);
  if (!facts) {
    if (facts.error().code == ErrorCode::kNotPermitted)
      facts.error().hint = "the process belongs to another user: run with sudo";
    return std::unexpected(facts.error());
  }
  return std::vector<Check>{check_process(*target, *process, *facts),
                            check_exit_policy(*facts),
                            check_exceptions(*facts),
                            check_stacks(*facts),
                            check_kernel_guards(*facts),
                            check_unreadable(*facts),
                            check_symbols(*facts),
                            check_frame_pointers(*facts)};
}

}  // namespace callscope::cli
