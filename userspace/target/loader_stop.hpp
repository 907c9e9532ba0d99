// SPDX-License-Identifier: Apache-2.0
// Lets a process that stands at its exec stop run until the dynamic loader has mapped all of its
// libraries, but no constructor and not main: probes can then be attached to the libraries too.
// Uses the loader's own debugger interface (r_debug, _dl_debug_state), as gdb does. The tracee's
// code and registers are the same afterwards as without us. Same thread rule as Tracee.
#pragma once

#include <cstdint>
#include <optional>

#include "callscope/error.hpp"
#include "target/tracee.hpp"

namespace callscope {

enum class LoaderStop {
  kLibrariesMapped,  // all DT_NEEDED libraries are mapped and relocated
  kExec,             // static, or a loader that we do not know: nothing but the loader has run
  kEntry,            // the loader never told; stopped at the program's first own instruction
  kEnded,            // the loader gave up (library missing) or a signal killed it
};

struct LoaderResult {
  LoaderStop stop = LoaderStop::kExec;
  int status = 0;  // of waitpid, for kEnded
};

Result<LoaderResult> run_until_libraries_mapped(const Tracee& tracee);

}  // namespace callscope
