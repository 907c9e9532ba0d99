// SPDX-License-Identifier: Apache-2.0
// Whether a function looks at its own return address. A return probe replaces that address while
// the function runs, so setjmp would store the probe's trampoline, dlsym(RTLD_NEXT) would not know
// its caller, and vfork would return to nowhere: such functions must not get one. Errs on the side
// of "yes". Pure; thread-safe.
#pragma once

#include "probes/function_code.hpp"

namespace callscope {

// Bytes that are no instruction count as a yes.
bool touches_return_slot(const FunctionCode& code);

// Whether it loads rsp from memory that is not its own frame: it goes on on another stack, so what
// it entered on and what it leaves from are different calls (swapcontext, longjmp, coroutines).
bool switches_stack(const FunctionCode& code);

}  // namespace callscope
