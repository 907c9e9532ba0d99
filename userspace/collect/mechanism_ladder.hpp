// SPDX-License-Identifier: Apache-2.0
// Loads the calls program for the best way to attach probes that this kernel has, by trying each,
// never from version numbers. Stateless; any thread.
#pragma once

#include <optional>
#include <string>

#include "bpf/calls_program.hpp"
#include "callscope/error.hpp"

namespace callscope {

struct LoadedCalls {
  CallsProgram program;
  std::string note;  // why it is not the best mechanism; empty if it is, or was asked for
};

// options.mechanism is ignored. With wanted only that one is tried. The error is the last one.
Result<LoadedCalls> load_best_calls(CallsProgram::Options options,
                                    std::optional<ProbeMechanism> wanted);

}  // namespace callscope
