// SPDX-License-Identifier: Apache-2.0
// Whether a function looks at its own return address. A return probe replaces that address while
// the function runs, so setjmp would store the probe's trampoline, dlsym(RTLD_NEXT) would not know
// its caller, and vfork would return to nowhere: such functions must not get one. Errs on the side
// of "yes". Pure; thread-safe.
#pragma once

#include <span>

#include "probes/exit_sites.hpp"

namespace callscope {

// ranges as for find_exit_sites: the function, then its cold parts. Bytes that are no instruction
// count as a yes.
bool touches_return_slot(std::span<const CodeRange> ranges);

}  // namespace callscope
