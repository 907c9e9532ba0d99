// SPDX-License-Identifier: Apache-2.0
// Whether this kernel has a way to attach many uprobes at once, by asking it: a program of two
// instructions and a link that cannot come to be. Places no probe, takes no time. Stateless.
#pragma once

#include "bpf/uprobe_set.hpp"
#include "callscope/error.hpp"

namespace callscope {

// kUnsupported: the kernel does not know such links. Otherwise the error of loading the program.
// Perf-event uprobes, which all kernels have, are not tried.
Result<void> try_mechanism(ProbeMechanism mechanism);

}  // namespace callscope
