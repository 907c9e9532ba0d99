// SPDX-License-Identifier: Apache-2.0
// Stacks as BPF counts them, as keys of unordered maps.
#pragma once

#include <cstddef>
#include <cstdint>

#include "callscope/abi/cpu.h"

namespace callscope {

struct StackKeyHash {
  std::size_t operator()(const cs_stack_key& key) const {
    return key.hash ^ (std::uint64_t{key.tid} << 32) ^ key.tgid;
  }
};

struct StackKeyEqual {
  bool operator()(const cs_stack_key& a, const cs_stack_key& b) const {
    return a.hash == b.hash && a.tgid == b.tgid && a.tid == b.tid;
  }
};

}  // namespace callscope
