// SPDX-License-Identifier: Apache-2.0
// Measures what our probes cost on this machine, now: the real BPF programs on small functions of
// our own process, some hundred calls each. Takes a few ten ms; no other process is touched.
#pragma once

#include "bpf/uprobe_set.hpp"
#include "callscope/error.hpp"
#include "probes/probe_cost.hpp"

namespace callscope {

// Medians over several rounds. Fails as loading and attaching probes fail.
Result<ProbeCosts> calibrate_probes(ProbeMechanism mechanism);

}  // namespace callscope
