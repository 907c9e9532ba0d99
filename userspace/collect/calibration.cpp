// SPDX-License-Identifier: Apache-2.0
#include "collect/calibration.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "bpf/calls_program.hpp"
#include "bpf/own_code.hpp"
#include "callscope/abi/call_cookie.h"
#include "collect/calibration_child.hpp"
#include "collect/mechanism_ladder.hpp"

namespace callscope {
namespace {

using Call = CalibrationCall;

Result<void> attach(const CalibrationChild& child, std::uint32_t first_func, CallLinks& links) {
  Result<CallProbes> probes = calibration_probes(first_func);
  if (!probes) return std::unexpected(probes.error());
  CS_TRY(links.attach(child.pid(), std::move(*probes)));
  if (!links.failures().empty())
    return fail(ErrorCode::kUnsupported, "the kernel refused a probe on our own functions", {},
                links.failures().front().sys_errno);
  return {};
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

// Leaves the links, whose removal takes its time, to the caller.
Result<ProbeCosts> measure(CallsProgram& program, std::uint32_t first_func, CallLinks& links) {
  Result<CalibrationChild> child = CalibrationChild::start();
  if (!child) return std::unexpected(child.error());
  CS_TRY(attach(*child, first_func, links));
  program.begin_trial(static_cast<std::uint32_t>(child->pid()));
  const Result<CalibrationSamples> samples = child->run();
  program.end_trial();
  if (!samples) return std::unexpected(samples.error());
  return probe_costs(*samples);
}

}  // namespace

Result<CallProbes> calibration_probes(std::uint32_t first_func) {
  CallProbes probes;
  const auto add = [&](std::vector<Probe>& list, const void* site, cs_probe_kind kind,
                       Call call) -> Result<void> {
    Result<Probe> probe =
        probe_own_code(site, cs_cookie(kind, first_func + static_cast<std::uint32_t>(call), 0));
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

Calibration Calibration::start(CallsProgram& program, std::uint32_t first_func) {
  std::promise<Result<ProbeCosts>> promise;
  std::shared_future<Result<ProbeCosts>> costs = promise.get_future().share();
  std::unique_ptr<CallLinks> links = program.separate_links();
  std::thread thread(
      [&program, first_func, links = std::move(links), promise = std::move(promise)]() mutable {
        promise.set_value(measure(program, first_func, *links));
      });
  return {std::move(costs), std::move(thread)};
}

Calibration Calibration::start(std::optional<ProbeMechanism> mechanism) {
  std::promise<Result<ProbeCosts>> promise;
  std::shared_future<Result<ProbeCosts>> costs = promise.get_future().share();
  std::thread thread([mechanism, promise = std::move(promise)]() mutable {
    CallsProgram::Options options;
    options.max_functions = kCalibrationCalls;
    Result<LoadedCalls> loaded = load_best_calls(options, mechanism);
    if (!loaded) return promise.set_value(std::unexpected(loaded.error()));
    const std::unique_ptr<CallLinks> links = loaded->program.separate_links();
    promise.set_value(measure(loaded->program, 0, *links));
  });
  return {std::move(costs), std::move(thread)};
}

Calibration::~Calibration() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace callscope
