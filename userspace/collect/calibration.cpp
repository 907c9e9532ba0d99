// SPDX-License-Identifier: Apache-2.0
#include "collect/calibration.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "bpf/calls_program.hpp"
#include "bpf/own_code.hpp"
#include "callscope/abi/call_cookie.h"
#include "collect/calibration_child.hpp"

namespace callscope {
namespace {

using Call = CalibrationCall;

Result<CallsProgram> probe_child(const CalibrationChild& child, ProbeMechanism mechanism) {
  Result<CallProbes> probes = calibration_probes();
  if (!probes) return std::unexpected(probes.error());
  CallsProgram::Options options;
  options.tgid = static_cast<std::uint32_t>(child.pid());
  options.max_functions = kCalibrationCalls;
  options.mechanism = mechanism;
  Result<CallsProgram> program = CallsProgram::load(options);
  if (!program) return program;
  if (Result<void> attached = program->links().attach(child.pid(), std::move(*probes)); !attached)
    return std::unexpected(attached.error());
  if (const auto& failures = program->links().failures(); !failures.empty())
    return fail(ErrorCode::kUnsupported, "the kernel refused a probe on our own functions", {},
                failures.front().sys_errno);
  program->enable();
  return program;
}

// The lower quartile: whatever disturbs a call (preemption, an interrupt, a busy sibling core, the
// hypervisor) only adds to it, so the low end is the probe's own cost. Not the minimum, which one
// lucky clock reading makes too small; with a quarter, half of all calls may be disturbed and some
// lucky, and the result stands.
std::uint64_t typical_ns(CalibrationSamples::Series series) {
  const auto quartile = series.begin() + series.size() / 4;
  std::ranges::nth_element(series, quartile);
  return *quartile;
}

// By the mechanism given, or the best one that works. A kernel that lacks one says so in more than
// one way, so any failure leads to the next, and the last one decides.
Result<CallsProgram> probe_by_best(const CalibrationChild& child,
                                   std::optional<ProbeMechanism> mechanism) {
  if (mechanism) return probe_child(child, *mechanism);
  for (const ProbeMechanism step : {ProbeMechanism::kSession, ProbeMechanism::kMulti})
    if (Result<CallsProgram> program = probe_child(child, step)) return program;
  return probe_child(child, ProbeMechanism::kPerfEvent);
}

// Leaves the program, whose removal takes its time, to the caller.
Result<ProbeCosts> measure(std::optional<ProbeMechanism> mechanism,
                           std::optional<CallsProgram>& program) {
  Result<CalibrationChild> child = CalibrationChild::start();
  if (!child) return std::unexpected(child.error());
  Result<CallsProgram> probed = probe_by_best(*child, mechanism);
  if (!probed) return std::unexpected(probed.error());
  program.emplace(std::move(*probed));
  const Result<CalibrationSamples> samples = child->run();
  if (!samples) return std::unexpected(samples.error());
  return probe_costs(*samples);
}

}  // namespace

Result<CallProbes> calibration_probes() {
  CallProbes probes;
  const auto add = [&](std::vector<Probe>& list, const void* site, cs_probe_kind kind,
                       Call call) -> Result<void> {
    Result<Probe> probe =
        probe_own_code(site, cs_cookie(kind, static_cast<std::uint32_t>(call), 0));
    if (!probe) return std::unexpected(probe.error());
    list.push_back(std::move(*probe));
    return {};
  };
  CS_TRY(
      add(probes.sites, calibration_sites(Call::kCounted).entry, CS_PROBE_COUNT, Call::kCounted));
  CS_TRY(add(probes.return_probed, calibration_sites(Call::kReturnProbed).entry, CS_PROBE_ENTRY,
             Call::kReturnProbed));
  for (const Call call : {Call::kEmulatedExit, Call::kSteppedExit, Call::kSteppedEntry}) {
    CS_TRY(add(probes.sites, calibration_sites(call).exit, CS_PROBE_RET, call));
    CS_TRY(add(probes.sites, calibration_sites(call).entry, CS_PROBE_ENTRY, call));
  }
  return probes;
}

ProbeCosts probe_costs(const CalibrationSamples& samples) {
  const auto above = [](const auto& all, Call call) {
    const std::uint64_t bare_ns = typical_ns(all[static_cast<std::size_t>(Call::kBare)]);
    const std::uint64_t ns = typical_ns(all[static_cast<std::size_t>(call)]);
    return ns > bare_ns ? ns - bare_ns : 0;
  };
  const auto entry_ns = [&](Call call) { return above(samples.entry_ns, call); };
  const auto exit_ns = [&](Call call) { return above(samples.exit_ns, call); };
  ProbeCosts costs;
  costs.emulated_entry_ns = entry_ns(Call::kEmulatedExit);
  costs.stepped_entry_ns = entry_ns(Call::kSteppedEntry);
  costs.emulated_exit_ns = exit_ns(Call::kEmulatedExit);
  costs.stepped_exit_ns = exit_ns(Call::kSteppedExit);
  costs.counted_entry_ns = entry_ns(Call::kCounted);
  // Arming a return probe makes the entry dearer; that is part of the price of the return.
  const std::uint64_t pair_ns = entry_ns(Call::kReturnProbed) + exit_ns(Call::kReturnProbed);
  costs.return_ns = pair_ns - std::min(pair_ns, costs.emulated_entry_ns);
  return costs;
}

Calibration Calibration::start(std::optional<ProbeMechanism> mechanism) {
  std::promise<Result<ProbeCosts>> promise;
  std::shared_future<Result<ProbeCosts>> costs = promise.get_future().share();
  std::thread thread([mechanism, promise = std::move(promise)]() mutable {
    std::optional<CallsProgram> program;
    promise.set_value(measure(mechanism, program));
  });
  return {std::move(costs), std::move(thread)};
}

Calibration::~Calibration() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace callscope
