// SPDX-License-Identifier: Apache-2.0
// One line about many functions: how many, the first few by name with a reason each. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace callscope {

// Names with a reason each, for one line: "WHAT (5 NOUNs): a (why), b (why), ... and 3 more".
using NamedReasons = std::vector<std::pair<std::string, std::string>>;
std::string list_note(const std::string& what, const std::string& noun, const NamedReasons& items);

}  // namespace callscope
