// SPDX-License-Identifier: Apache-2.0
// Proof that no unwinder ever passes a function's frame, so that a return probe on it is safe even
// in a program that throws: nothing that runs below it can throw, be cancelled or call back. Taken
// as given: signal handlers do not throw or cancel across what they interrupted, and threads are
// not cancelled asynchronously (the caller knows). Remembers its answers in the ModuleCode.
#pragma once

#include <cstdint>

#include "probes/module_code.hpp"

namespace callscope {

// addr: a function that code_at() knows. False: not proven.
bool cannot_be_unwound(std::uint64_t addr, ModuleCode& module);

}  // namespace callscope
