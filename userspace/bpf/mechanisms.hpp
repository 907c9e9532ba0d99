// SPDX-License-Identifier: Apache-2.0
// What this kernel and our privileges allow, found by trying each mechanism on ourselves, never
// from version numbers. Harmless: nothing of it touches another process. Takes some 100 ms.
#pragma once

#include <string>
#include <vector>

namespace callscope {

struct Mechanism {
  std::string name;
  bool available = false;
  std::string detail;  // why not, or what it is used for
};

std::vector<Mechanism> probe_mechanisms();

}  // namespace callscope
