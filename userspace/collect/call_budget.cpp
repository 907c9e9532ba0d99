// SPDX-License-Identifier: Apache-2.0
#include "collect/call_budget.hpp"

#include "probes/probe_cost.hpp"

namespace callscope {
namespace {

// Calls of all nodes of each function; one pass over the nodes.
struct Calls {
  std::uint64_t timed = 0;
  std::uint64_t counted = 0;
};

std::vector<Calls> count_calls(const CallsProgram& program, std::uint32_t functions) {
  std::vector<Calls> calls(functions);
  const auto take = [&](std::uint32_t func, const cs_call_stats& stats) {
    if (func >= functions) return;
    calls[func].timed += stats.returns + stats.unwound;
    calls[func].counted += stats.skipped + stats.untimed;
  };
  const std::uint32_t roots = program.options().max_functions;
  for (std::uint32_t func = 0; func < functions; ++func) take(func, program.stats(func));
  for (std::uint32_t i = 0; i < program.contexts(); ++i)
    take(program.node_info(roots + i).func, program.stats(roots + i));
  return calls;
}

}  // namespace

std::vector<FunctionLoad> CallBudget::loads(const CallsProgram& program,
                                            const FunctionRegistry& registry,
                                            const ProbeCosts& costs) const {
  std::vector<FunctionLoad> result;
  const std::vector<Calls> calls = count_calls(program, registry.size());
  for (std::uint32_t func = 0; func < calls.size(); ++func) {
    const FunctionStats* const stats = registry.stats(func);
    const auto callee_exits_emulated = registry.tail_callee(func);
    if (removed_.contains(func) || (stats == nullptr && !callee_exits_emulated)) continue;
    FunctionLoad load;
    load.func = func;
    load.timed = calls[func].timed;
    load.counted = calls[func].counted;
    if (callee_exits_emulated) {
      load.counted_cost_ns = exit_site_cost_ns(costs, *callee_exits_emulated);
      result.push_back(load);
      continue;
    }
    load.timed_cost_ns = stats->probe_cost_ns;
    load.counted_cost_ns = stats->emulated_entry ? costs.counted_entry_ns : costs.stepped_entry_ns;
    load.exits_always_fire = stats->exit == ExitMode::kRetSite && !counted_.contains(func);
    load.shift = program.control(func).sample_shift;
    result.push_back(load);
  }
  return result;
}

Result<void> CallBudget::keep(CallsProgram& program, const FunctionRegistry& registry,
                              const ProbeCosts& costs, std::uint64_t begin_ns,
                              std::uint64_t now_ns) {
  if (!governor_) return {};
  std::set<std::uint32_t> remove;
  std::set<std::uint32_t> count_only;
  for (const SheddingStep& step : governor_->steps(now_ns, loads(program, registry, costs))) {
    cs_func_ctl& control = program.control(step.func);
    FunctionStats* const stats = registry.stats(step.func);
    switch (step.step) {
      case Shedding::kSample:
        control.sample_shift = static_cast<std::uint8_t>(step.shift);
        break;
      case Shedding::kCountOnly:
        control.mode = CS_FUNC_COUNTED;
        count_only.insert(step.func);
        if (stats != nullptr) stats->untimed_ns = now_ns - begin_ns;
        break;
      case Shedding::kRemove:
        control.mode = CS_FUNC_OFF;
        remove.insert(step.func);
        if (stats != nullptr)
          stats->detached_ns = now_ns - begin_ns;
        else
          ++tail_callees_removed_;
        break;
    }
  }
  counted_.insert(count_only.begin(), count_only.end());
  removed_.insert(remove.begin(), remove.end());
  if (!count_only.empty()) CS_TRY(program.links().count_only(count_only));
  if (!remove.empty()) CS_TRY(program.links().remove(remove));
  return {};
}

}  // namespace callscope
