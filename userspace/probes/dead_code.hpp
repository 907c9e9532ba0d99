// SPDX-License-Identifier: Apache-2.0
// Bytes of a function that control seems never to reach. Hand-written code keeps tables and
// constants between its instructions: a probe there would change data. Landing pads of exceptions
// look the same, since only the unwinder jumps to them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "probes/function_code.hpp"
#include "probes/inner_jumps.hpp"
#include "probes/module_code.hpp"
#include "probes/probe_site.hpp"

namespace callscope {

// The first exit that may be no instruction; nothing when all are code for certain. A function that
// calls the exception runtime was compiled, and what it does not reach are its landing pads.
std::optional<std::uint64_t> exit_in_dead_code(std::span<const ExitSite> exits,
                                               const FunctionCode& code, const InnerJumps& jumps,
                                               ModuleCode& module);

}  // namespace callscope
