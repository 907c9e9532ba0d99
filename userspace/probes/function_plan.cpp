// SPDX-License-Identifier: Apache-2.0
#include "probes/function_plan.hpp"

#include <algorithm>

#include "probes/entry_site.hpp"
#include "probes/exit_sites.hpp"
#include "probes/inner_jumps.hpp"
#include "probes/stack_check.hpp"
#include "probes/unwind_proof.hpp"

namespace callscope {
namespace {

// The program's and the loader's first instructions and the lazy binder are jumped to: what lies at
// the top of their stack is no return address.
bool is_called(const FoundFunction& function, const ModuleCode& module) {
  return function.addr != module.image().entry() && !function.name.starts_with("_dl_runtime_");
}

bool is_loader(const ModuleCode& module) {
  const std::string& path = module.module().path;
  return path.substr(path.rfind('/') + 1).starts_with("ld-");
}

// Neither the function nor any that it jumps to, which runs with its return slot, looks at it.
bool keeps_return_slot(std::uint64_t addr, ModuleCode& module) {
  constexpr std::size_t kMaxTailCallees = 32;
  std::vector<std::uint64_t> reached{addr};
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const FunctionFacts* const facts = module.facts(reached[i]);
    if (facts == nullptr) continue;  // nothing is known of what it jumps to
    if (facts->touches_return_slot || reached.size() > kMaxTailCallees) return false;
    for (const std::uint64_t target : facts->jumps_out)
      if (std::ranges::find(reached, target) == reached.end()) reached.push_back(target);
  }
  return true;
}

// A loop, or a tail call of itself: nobody can tell, and each round meets the entry probe.
bool restarts(const FunctionCode& code) {
  return std::ranges::any_of(code.instructions(), [&](const Instruction& insn) {
    return (insn.flow == Flow::kJump || insn.flow == Flow::kBranch) && insn.target == code.addr();
  });
}

class Planner {
 public:
  Planner(const FoundFunction& function, ModuleCode& module, const PlanRules& rules)
      : function_(function),
        module_(module),
        rules_(rules),
        code_(module.code_of(function)),
        jumps_(find_inner_jumps(code_, module)) {
    module.learn(code_, jumps_);
  }

  FunctionPlan run() {
    plan_.exit = choose_exit();
    if (plan_.exit == ExitMode::kRetSite) place_exits(plan_);
    place_entry(plan_);
    const bool dear = plan_.exit == ExitMode::kUretprobe && !plan_.entry.emulated;
    if (dear && rules_.prefer_cheap) use_cheap_exits();
    return std::move(plan_);
  }

 private:
  ExitMode choose_exit() {
    if (!is_called(function_, module_)) return settle(ExitMode::kEntryOnly, "is not called");
    if (module_.facts(function_.addr)->switches_stack)
      return settle(ExitMode::kEntryOnly, "goes on on another stack");
    if (restarts(code_)) {
      stack_check_ = stack_check_length(code_, jumps_, module_);
      plan_.counts_restarts = stack_check_ == 0;
      return settle(ExitMode::kEntryOnly,
                    plan_.counts_restarts ? "jumps back to its first instruction: counted as a call"
                                          : "starts again when its stack grows");
    }
    if (rules_.best == ExitMode::kEntryOnly) return settle(ExitMode::kEntryOnly, "");
    const bool proof_helps = rules_.best == ExitMode::kRetSite && rules_.proof_allows_return_probe;
    if (rules_.best == ExitMode::kRetSite && !proof_helps) return settle(ExitMode::kRetSite, "");
    if (is_loader(module_)) return settle(ExitMode::kRetSite, "belongs to the dynamic loader");
    if (proof_helps && !cannot_be_unwound(function_.addr, module_))
      return settle(ExitMode::kRetSite, "may be unwound through");
    if (!keeps_return_slot(function_.addr, module_))
      return settle(ExitMode::kRetSite, "looks at its return address");
    return ExitMode::kUretprobe;
  }

  ExitMode settle(ExitMode exit, const char* why) {
    plan_.why_not_better = why;
    return exit;
  }

  void place_exits(FunctionPlan& plan) {
    Result<std::vector<ExitSite>> exits = find_exit_sites(code_, jumps_, module_);
    if (exits) {
      plan.exits = std::move(*exits);
      return;
    }
    plan.exit = ExitMode::kEntryOnly;
    plan.why_not_better = exits.error().what;
  }

  void place_entry(FunctionPlan& plan) {
    const EntryRules entry{.keep_stack = plan.exit == ExitMode::kUretprobe,
                           .keep_arguments = rules_.keep_arguments,
                           .avoid_calls = rules_.shadow_stack,
                           .counts_only = plan.exit == ExitMode::kEntryOnly,
                           .behind = stack_check_};
    plan.entry = choose_entry_site(code_, jumps_, entry, module_);
    if (plan.exit == ExitMode::kRetSite)
      use_cheaper_exits(plan.exits, plan.entry.addr, code_, jumps_, module_);
  }

  // A return probe binds the entry to where rsp is unchanged. Without one the entry can be cheap in
  // functions that begin with "sub $N,%rsp", and that is the better bargain when the exits are
  // cheap too. Not with tail jumps: a return probe also sees the end of what is jumped to.
  void use_cheap_exits() {
    FunctionPlan other{.exit = ExitMode::kRetSite};
    place_exits(other);
    place_entry(other);
    const bool better = other.exit == ExitMode::kRetSite && other.entry.emulated &&
                        exits_are_emulated(other) &&
                        std::ranges::none_of(other.exits, &ExitSite::tail_jump);
    if (!better) return;
    plan_ = std::move(other);
    plan_.why_not_better = "is cheaper without a return probe";
  }

  const FoundFunction& function_;
  ModuleCode& module_;
  const PlanRules& rules_;
  FunctionCode code_;
  InnerJumps jumps_;
  std::size_t stack_check_ = 0;  // instructions, of a function that starts again behind it
  FunctionPlan plan_;
};

}  // namespace

FunctionPlan plan_function(const FoundFunction& function, ModuleCode& module,
                           const PlanRules& rules) {
  return Planner(function, module, rules).run();
}

Result<std::vector<ExitSite>> exit_sites_at(std::uint64_t addr, ModuleCode& module) {
  const std::optional<FunctionCode> code = module.code_at(addr);
  if (!code) return fail(ErrorCode::kUnsupported, "is no function whose extent is known");
  const InnerJumps jumps = find_inner_jumps(*code, module);
  Result<std::vector<ExitSite>> exits = find_exit_sites(*code, jumps, module);
  constexpr std::uint64_t kNoEntryProbe = 0;
  if (exits) use_cheaper_exits(*exits, kNoEntryProbe, *code, jumps, module);
  return exits;
}

bool exits_are_emulated(const FunctionPlan& plan) {
  return std::ranges::all_of(plan.exits, &ExitSite::emulated);
}

}  // namespace callscope
