// SPDX-License-Identifier: Apache-2.0
#include "collect/mechanism_ladder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "bpf/own_code.hpp"
#include "callscope/abi/call_cookie.h"

namespace callscope {
namespace {

// Attaches one probe of each kind to ourselves and takes it away: no event of ours counts.
Result<void> try_on_ourselves(CallsProgram& program) {
  Result<Probe> probe =
      probe_own_code(reinterpret_cast<const void*>(&load_best_calls), CS_NO_FUNCTION);
  if (!probe) return std::unexpected(probe.error());
  CallProbes probes{{*probe}, {*probe}};
  Result<void> attached = program.links().attach(::getpid(), std::move(probes));
  program.links().remove_process(::getpid());
  if (attached && !program.links().failures().empty())
    return fail(ErrorCode::kUnsupported, "the kernel refuses a probe on our own code", {},
                program.links().failures().front().sys_errno);
  return attached;
}

}  // namespace

Result<LoadedCalls> load_best_calls(CallsProgram::Options options,
                                    std::optional<ProbeMechanism> wanted,
                                    const CallsProgram::Handlers& handlers) {
  constexpr std::array kLadder{ProbeMechanism::kSession, ProbeMechanism::kMulti,
                               ProbeMechanism::kPerfEvent};
  std::string reason;
  for (const ProbeMechanism step : kLadder) {
    if (wanted && *wanted != step) continue;
    options.mechanism = step;
    Result<CallsProgram> program = CallsProgram::load(options, handlers);
    // Perf events are the last step: a trial would only cost its 0.25 s at detaching.
    Result<void> tried;
    if (program && step != ProbeMechanism::kPerfEvent) tried = try_on_ourselves(*program);
    if (program && tried) {
      std::string note;
      if (!reason.empty())
        note = fmt::format("functions are probed by {}: {}", mechanism_name(step), reason);
      return LoadedCalls{std::move(*program), std::move(note)};
    }
    // A kernel without sessions refuses the program with EACCES, as it does to who may not load
    // any: in both cases the last step decides.
    const Error& error = program ? tried.error() : program.error();
    if (wanted || step == kLadder.back()) return std::unexpected(error);
    reason = error.message();
  }
  return fail(ErrorCode::kInternal, "no probe mechanism was tried");
}

}  // namespace callscope
