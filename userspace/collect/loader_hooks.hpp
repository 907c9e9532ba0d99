// SPDX-License-Identifier: Apache-2.0
// Places in a process that tell what changes under our probes: where its dynamic loader announces
// what it has mapped, and where a C++ exception is caught. Probes that count no call.
#pragma once

#include <cstdint>

#include "bpf/call_links.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

struct LoaderHooks {
  CallProbes probes;    // with cookies
  bool loader = false;  // the loader's announcement was found
};

// The symbolizer must have been refreshed for pid.
LoaderHooks find_loader_hooks(std::int32_t pid, const Symbolizer& symbolizer);

}  // namespace callscope
