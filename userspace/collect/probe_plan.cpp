// SPDX-License-Identifier: Apache-2.0
#include "collect/probe_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "callscope/abi/call_cookie.h"
#include "collect/list_note.hpp"
#include "probes/function_plan.hpp"

namespace callscope {
namespace {

class Planner {
 public:
  Planner(const FoundFunctions& found, const PlanContext& context, Symbolizer& symbolizer,
          FunctionRegistry& registry)
      : found_(found),
        context_(context),
        registry_(registry),
        codes_(found.modules.begin(), found.modules.end()) {
    for (const ProbeModule& module : found.modules) {
      module_ids_.push_back(symbolizer.module_id(ModuleKind::kElf, module.path, module.build_id));
      foreign_.push_back(context.foreign ? context.foreign->in_file(module.open_path) : nullptr);
    }
  }

  ProbePlan run() {
    // All ids first: a tail jump may lead to a function that comes later.
    std::vector<std::optional<std::uint32_t>> ids;
    for (const FoundFunction& function : found_.functions) ids.push_back(number(function));
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (ids[i]) add(*ids[i], found_.functions[i]);
    if (!untimed_.empty())
      plan_.notes.push_back(list_note("entry counts only", "function", untimed_));
    if (!left_alone_.empty())
      plan_.notes.push_back(
          list_note("not probed beside others' return probes, which would end in this process, too",
                    "function", left_alone_));
    if (no_room_ > 0)
      plan_.notes.push_back(
          fmt::format("{} functions are not probed: the tables are full", no_room_));
    return std::move(plan_);
  }

 private:
  std::optional<std::uint32_t> number(const FoundFunction& function) {
    const std::uint32_t known = registry_.size();
    FunctionStats stats;
    stats.name = function.name;
    stats.aliases = function.aliases;
    stats.module = module_ids_[function.module];
    stats.addr = function.addr;
    stats.size_bytes = function.size_bytes;
    const auto id = registry_.add(std::move(stats));
    if (!id) ++no_room_;
    if (id && *id >= known) plan_.added.push_back(*id);
    return id;
  }

  [[nodiscard]] PlanRules rules_for(const FoundFunction& function) const {
    const ExitPolicy& policy = context_.policy;
    const ProbeModule& module = found_.modules[function.module];
    PlanRules rules;
    rules.best = policy.best;
    if (policy.main_only && !module.main && rules.best == ExitMode::kUretprobe)
      rules.best = ExitMode::kRetSite;
    rules.proof_allows_return_probe = policy.return_probes_where_proven;
    rules.prefer_cheap = !policy.forced;
    rules.shadow_stack = policy.shadow_stack;
    rules.keep_arguments =
        std::ranges::any_of(context_.keep_arguments, [&](const FunctionPattern& pattern) {
          return (!pattern.names_library() || pattern.matches_module(module.path, module.main)) &&
                 pattern.matches_name(function.name);
        });
    return rules;
  }

  // A probe of somebody else on an instruction that the plan wants.
  [[nodiscard]] const ForeignProbe* meets(const FunctionPlan& plan, std::uint32_t module) const {
    if (foreign_[module] == nullptr) return nullptr;
    const auto at = [&](std::uint64_t addr) -> const ForeignProbe* {
      const auto file_off = found_.modules[module].image->vaddr_to_file_off(addr);
      const auto probe = file_off ? foreign_[module]->find(*file_off) : foreign_[module]->end();
      return probe == foreign_[module]->end() ? nullptr : &probe->second;
    };
    if (const ForeignProbe* const probe = at(plan.entry.addr)) return probe;
    for (const ExitSite& exit : plan.exits)
      if (const ForeignProbe* const probe = at(exit.addr)) return probe;
    return nullptr;
  }

  // The plan for a function that meddles with nobody; nothing if there is none.
  std::optional<FunctionPlan> plan_for(const FoundFunction& function) {
    PlanRules rules = rules_for(function);
    FunctionPlan plan = plan_function(function, codes_[function.module], rules);
    const ForeignProbe* other = meets(plan, function.module);
    if (other == nullptr || (context_.policy.forced && plan.exit == ExitMode::kUretprobe))
      return plan;
    if (plan.exit == ExitMode::kUretprobe) {
      rules.best = ExitMode::kRetSite;
      rules.proof_allows_return_probe = false;
      plan = plan_function(function, codes_[function.module], rules);
      other = meets(plan, function.module);
    }
    const bool harmless = other == nullptr || !other->returns;
    if (harmless || context_.policy.best == ExitMode::kUretprobe) return plan;
    left_alone_.emplace_back(function.name, fmt::format("for process {}", other->pid));
    return std::nullopt;
  }

  void add(std::uint32_t id, const FoundFunction& function) {
    const std::optional<FunctionPlan> planned = plan_for(function);
    if (!planned) {
      if (std::erase(plan_.added, id) > 0) registry_.drop_row(id);
      return;
    }
    const FunctionPlan& plan = *planned;
    plan_.functions.push_back({id, plan.entry.intact_arguments});
    const bool told = context_.policy.best == ExitMode::kEntryOnly && !plan.counts_restarts;
    if (plan.exit == ExitMode::kEntryOnly && !told)
      untimed_.emplace_back(function.name, plan.why_not_better);
    place(id, function, plan);
    FunctionStats* const stats = registry_.stats(id);
    if (stats == nullptr || stats->site_addr != 0) return;  // of an earlier process
    stats->exit = plan.exit;
    stats->site_addr = plan.entry.addr;
    stats->emulated_entry = plan.entry.emulated;
    stats->emulated_exits = plan.exit == ExitMode::kRetSite && exits_are_emulated(plan);
  }

  // The exits before the entry: the kernel asks the probe first that came last, and in a function
  // that is but a jump both stand on the same instruction.
  void place(std::uint32_t id, const FoundFunction& function, const FunctionPlan& plan) {
    const bool timed = plan.exit != ExitMode::kEntryOnly;
    if (plan.exit == ExitMode::kRetSite)
      for (const ExitSite& site : plan.exits) add_exit(id, function.module, site);
    const std::uint64_t cookie = with_slot(
        cs_cookie(timed ? CS_PROBE_ENTRY : CS_PROBE_COUNT, id, slot_words(plan.entry.slot)),
        plan.entry.slot);
    std::vector<Probe>& list =
        plan.exit == ExitMode::kUretprobe ? plan_.probes.return_probed : plan_.probes.sites;
    push(list, function.module, plan.entry.addr, cookie);
  }

  void add_exit(std::uint32_t id, std::uint32_t module, const ExitSite& site) {
    std::uint64_t cookie = with_slot(cs_cookie(CS_PROBE_RET, id, slot_words(site.slot)), site.slot);
    if (site.tail_jump) {
      const auto target = registry_.find(module_ids_[module], site.tail_target);
      cookie = cs_cookie(CS_PROBE_TAIL, id, target.value_or(CS_NO_FUNCTION));
      if (const auto callee = target ? std::nullopt : cover_tail_callee(module, site.tail_target)) {
        if (auto jump = probe_at(module, site.addr, cookie))
          plan_.probes.tail_jumps.push_back({std::move(*jump), *callee});
        return;  // the call stays open until the callee returns
      }
    }
    push(plan_.probes.sites, module, site.addr, cookie);
  }

  [[nodiscard]] std::optional<Probe> probe_at(std::uint32_t module, std::uint64_t addr,
                                              std::uint64_t cookie) const {
    const ProbeModule& file = found_.modules[module];
    const auto file_off = file.image->vaddr_to_file_off(addr);
    if (!file_off) return std::nullopt;  // decoded from there: never
    return Probe{file.open_path, *file_off, cookie};
  }
  void push(std::vector<Probe>& list, std::uint32_t module, std::uint64_t addr,
            std::uint64_t cookie) {
    if (auto probe = probe_at(module, addr, cookie)) list.push_back(std::move(*probe));
  }

  static std::uint32_t slot_words(const ReturnSlot& slot) {
    return static_cast<std::uint32_t>(slot.off_bytes) / 8;
  }
  static std::uint64_t with_slot(std::uint64_t cookie, const ReturnSlot& slot) {
    return slot.base == SlotBase::kRbp ? cookie | CS_COOKIE_RBP : cookie;
  }

  // Probes the exits of a function that nobody asked for, so that the calls of those that jump to
  // it end when it returns. Its id; nothing: its exits are not known, or there is no room.
  std::optional<std::uint32_t> cover_tail_callee(std::uint32_t module, std::uint64_t addr) {
    if (addr == 0) return std::nullopt;  // through a pointer
    const auto [known, added] = covered_.try_emplace({module, addr}, std::nullopt);
    if (!added) return known->second;
    const auto sites = exit_sites_at(addr, codes_[module]);
    if (!sites) return std::nullopt;
    const bool emulated = std::ranges::all_of(*sites, &ExitSite::emulated);
    const auto id = registry_.add_tail_callee(module_ids_[module], addr, emulated);
    if (!id) return std::nullopt;
    covered_[{module, addr}] = id;  // before its own jumps are looked at: they may lead back
    plan_.tail_callees.push_back(*id);
    for (const ExitSite& site : *sites) add_exit(*id, module, site);
    return id;
  }

  const FoundFunctions& found_;
  const PlanContext& context_;
  FunctionRegistry& registry_;
  std::deque<ModuleCode> codes_;                         // of found_.modules
  std::vector<std::uint32_t> module_ids_;                // the same, in the Recording
  std::vector<const ForeignProbes::ByOffset*> foreign_;  // the same; nullptr: none
  // Tail callees by module and address; nothing: not to be covered.
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::optional<std::uint32_t>> covered_;
  NamedReasons untimed_;
  NamedReasons left_alone_;
  std::size_t no_room_ = 0;
  ProbePlan plan_;
};

}  // namespace

ProbePlan plan_probes(const FoundFunctions& found, const PlanContext& context,
                      Symbolizer& symbolizer, FunctionRegistry& registry) {
  ProbePlan plan = Planner(found, context, symbolizer, registry).run();
  if (!context.policy.reason.empty()) plan.notes.insert(plan.notes.begin(), context.policy.reason);
  plan.notes.insert(plan.notes.end(), found.notes.begin(), found.notes.end());
  return plan;
}

}  // namespace callscope
