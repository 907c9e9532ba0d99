// SPDX-License-Identifier: Apache-2.0
// Turns failures of libbpf and of the BPF verifier into our Error, and keeps libbpf silent.
#pragma once

#include <string>

#include "callscope/error.hpp"

namespace callscope {

// libbpf prints to stderr by default; libraries here never print. Idempotent, any thread.
void silence_libbpf();

// Error for a failed libbpf call: what failed and errno (libbpf 1.x sets it). The code follows
// errno: EPERM and EACCES are kNotPermitted, ENOENT/EOPNOTSUPP/EINVAL kUnsupported.
Error libbpf_error(const std::string& what, int err);

}  // namespace callscope
