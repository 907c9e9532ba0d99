// SPDX-License-Identifier: Apache-2.0
// What has to be known of a function in order to judge those that call it or jump to it. Made once
// a function and kept by ModuleCode. Plain values; nothing fails: what is unknown is taken for bad.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace callscope {

class FunctionCode;
struct InnerJumps;
class ModuleCode;

struct FunctionFacts {
  bool touches_return_slot = true;
  bool switches_stack = false;
  // Whether all that it may call or jump to is in calls and jumps_out, or is named in
  // harmless_calls.hpp; and it neither enters the kernel nor sets rsp to something unknown.
  bool closed = false;
  std::vector<std::uint64_t> calls;       // targets of direct calls within the module
  std::vector<std::uint64_t> jumps_out;   // targets of direct jumps out of it within the module
  std::optional<bool> cannot_be_unwound;  // of unwind_proof.hpp, once it was asked for
};

FunctionFacts gather_facts(const FunctionCode& code, const InnerJumps& jumps, ModuleCode& module);

}  // namespace callscope
