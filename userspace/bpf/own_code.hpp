// SPDX-License-Identifier: Apache-2.0
// Probes on functions of our own process: for trials and calibration. Stateless.
#pragma once

#include <cstdint>

#include "bpf/uprobe_set.hpp"
#include "callscope/error.hpp"

namespace callscope {

// The probe of the instruction at this address of ours; kInternal if it lies in no loaded file.
Result<Probe> probe_own_code(const void* code, std::uint64_t cookie);

}  // namespace callscope
