// SPDX-License-Identifier: Apache-2.0
#include "probes/function_facts.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "probes/harmless_calls.hpp"
#include "probes/inner_jumps.hpp"
#include "probes/module_code.hpp"
#include "probes/return_slot.hpp"

namespace callscope {
namespace {

// Functions of libc that look at their return address, reached by a jump through the PLT.
bool asks_for_its_caller(std::string_view name) {
  constexpr std::array<std::string_view, 14> kNames{"dlsym",
                                                    "dlvsym",
                                                    "dlopen",
                                                    "dlmopen",
                                                    "dl_iterate_phdr",
                                                    "setjmp",
                                                    "_setjmp",
                                                    "sigsetjmp",
                                                    "__sigsetjmp",
                                                    "getcontext",
                                                    "vfork",
                                                    "backtrace",
                                                    "_Unwind_Backtrace",
                                                    "mcount"};
  return std::ranges::find(kNames, name) != kNames.end();
}

// Whether rsp stays on the stack that the function was entered on.
bool keeps_stack(const Instruction& insn) {
  if (!insn.writes_register(Reg::kRsp) || insn.flow != Flow::kNext) return true;
  switch (insn.operation) {
    case Operation::kPush:
    case Operation::kLeave:
      return true;
    case Operation::kPop:
    case Operation::kAdd:
    case Operation::kSub:
      return insn.operation != Operation::kPop ? insn.dst == Reg::kRsp : insn.dst != Reg::kRsp;
    case Operation::kAnd:
      return insn.has_imm;
    case Operation::kMov:
      return !insn.has_memory && insn.src == Reg::kRbp;
    case Operation::kLea:
      return insn.base == Reg::kRsp || insn.base == Reg::kRbp;
    default:
      return false;
  }
}

bool stays_inside(InnerJumps::Kind kind) {
  return kind == InnerJumps::Kind::kSwitch || kind == InnerJumps::Kind::kLabels ||
         kind == InnerJumps::Kind::kUnreadSwitch;
}

void add_once(std::vector<std::uint64_t>& addrs, std::uint64_t addr) {
  if (std::ranges::find(addrs, addr) == addrs.end()) addrs.push_back(addr);
}

class FactGatherer {
 public:
  FactGatherer(const FunctionCode& code, ModuleCode& module) : code_(code), module_(module) {}

  FunctionFacts run(const InnerJumps& jumps) {
    facts_.touches_return_slot = touches_return_slot(code_);
    facts_.switches_stack = switches_stack(code_);
    facts_.closed = !code_.undecodable() &&
                    std::ranges::all_of(jumps.indirect,
                                        [](const auto& jump) { return stays_inside(jump.kind); });
    for (const Instruction& insn : code_.instructions()) take(insn);
    return std::move(facts_);
  }

 private:
  void take(const Instruction& insn) {
    if (insn.system || !keeps_stack(insn)) facts_.closed = false;
    if (insn.flow == Flow::kCall) {
      // A call of the next instruction or the like is no call.
      const bool odd = code_.covers(insn.target) && insn.target != code_.addr();
      if (insn.target == 0 || odd)
        facts_.closed = false;
      else
        leave_to(insn.target, facts_.calls);
    } else if (insn.flow == Flow::kJump || insn.flow == Flow::kBranch) {
      if (!code_.covers(insn.target)) leave_to(insn.target, facts_.jumps_out);
      if (module_.in_plt(insn.target) && asks_for_its_caller(module_.callee_name(insn.target)))
        facts_.touches_return_slot = true;  // with ours, since it is a jump
    }
  }

  void leave_to(std::uint64_t target, std::vector<std::uint64_t>& addrs) {
    if (!module_.in_plt(target))
      add_once(addrs, target);
    else if (!is_harmless_call(module_.callee_name(target)))
      facts_.closed = false;
  }

  const FunctionCode& code_;
  ModuleCode& module_;
  FunctionFacts facts_;
};

}  // namespace

FunctionFacts gather_facts(const FunctionCode& code, const InnerJumps& jumps, ModuleCode& module) {
  return FactGatherer(code, module).run(jumps);
}

}  // namespace callscope
