// SPDX-License-Identifier: Apache-2.0
// One snapshot of the memory, CPU time, faults, descriptors and I/O of a process, from procfs.
// Reads only; thread-safe. Works across PID, mount and user namespaces, since /proc is ours.
#pragma once

#include <cstdint>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"

namespace callscope {

// t_ns is left 0. CPU times cover all threads, ended ones too, in steps of a clock tick (10 ms):
// the finer schedstat of procfs is per thread and forgets threads that ended. Context switches are
// summed over the threads alive. kNotFound: the process is gone, has ended, or ended while we read
// (never a half-empty snapshot). What we may not read (I/O, descriptors, PSS of somebody else's
// process) stays 0. with_pss = false leaves out PSS, the one value whose cost grows with the
// memory.
Result<ResourceSnapshot> read_resources(std::int32_t pid, bool with_pss = true);

}  // namespace callscope
