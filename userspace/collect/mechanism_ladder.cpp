// SPDX-License-Identifier: Apache-2.0
#include "collect/mechanism_ladder.hpp"

#include <fmt/format.h>

#include <array>

#include "bpf/mechanism_trial.hpp"

namespace callscope {

Result<LoadedCalls> load_best_calls(CallsProgram::Options options,
                                    std::optional<ProbeMechanism> wanted) {
  constexpr std::array kLadder{ProbeMechanism::kSession, ProbeMechanism::kMulti,
                               ProbeMechanism::kPerfEvent};
  std::string reason;
  for (const ProbeMechanism step : kLadder) {
    if (wanted && *wanted != step) continue;
    options.mechanism = step;
    const Result<void> tried = try_mechanism(step);
    Result<CallsProgram> program =
        tried ? CallsProgram::load(options) : Result<CallsProgram>(std::unexpected(tried.error()));
    if (program) {
      std::string note;
      if (!reason.empty())
        note = fmt::format("functions are probed by {}: {}", mechanism_name(step), reason);
      return LoadedCalls{std::move(*program), std::move(note)};
    }
    // Who may load no program is refused at each step: the last one decides.
    if (wanted || step == kLadder.back()) return std::unexpected(program.error());
    reason = program.error().message();
  }
  return fail(ErrorCode::kInternal, "no probe mechanism was tried");
}

}  // namespace callscope
