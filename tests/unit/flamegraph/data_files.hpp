// SPDX-License-Identifier: Apache-2.0
// The files of tests/unit/flamegraph/data.
#pragma once

#include <string>

namespace callscope::test {

// The whole file; fails the test if there is none.
std::string read_data(const std::string& name);

}  // namespace callscope::test
