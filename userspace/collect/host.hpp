// SPDX-License-Identifier: Apache-2.0
// Facts about the machine that a recording was made on.
#pragma once

#include "callscope/recording.hpp"

namespace callscope {

// What cannot be read stays empty or 0.
Host describe_host();

}  // namespace callscope
