// SPDX-License-Identifier: Apache-2.0
#include "collect/probe_plan.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "callscope/abi/call_cookie.h"
#include "probes/function_plan.hpp"

namespace callscope {
namespace {

constexpr std::size_t kMaxTailCallees = 4096;
constexpr std::size_t kListed = 5;  // names shown of a long list

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
      plan_.notes.push_back(list_note("functions get entry counts only", untimed_));
    if (!left_alone_.empty())
      plan_.notes.push_back(
          list_note("functions are not probed beside others' return probes, "
                    "which would end in this process, too",
                    left_alone_));
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
      if (!target && cover_tail_callee(module, site.tail_target))
        return;  // the call stays open until the callee returns
      cookie = cs_cookie(CS_PROBE_TAIL, id, target.value_or(CS_NO_FUNCTION));
    }
    push(plan_.probes.sites, module, site.addr, cookie);
  }

  void push(std::vector<Probe>& list, std::uint32_t module, std::uint64_t addr,
            std::uint64_t cookie) {
    const ProbeModule& file = found_.modules[module];
    if (const auto file_off = file.image->vaddr_to_file_off(addr))  // decoded from there: always
      list.push_back({file.open_path, *file_off, cookie});
  }

  static std::uint32_t slot_words(const ReturnSlot& slot) {
    return static_cast<std::uint32_t>(slot.off_bytes) / 8;
  }
  static std::uint64_t with_slot(std::uint64_t cookie, const ReturnSlot& slot) {
    return slot.base == SlotBase::kRbp ? cookie | CS_COOKIE_RBP : cookie;
  }

  // Probes the exits of a function that nobody asked for, so that the calls of those that jump to
  // it end when it returns. False: its exits are not known.
  bool cover_tail_callee(std::uint32_t module, std::uint64_t addr) {
    if (addr == 0) return false;  // through a pointer
    const auto [known, added] = covered_.try_emplace({module, addr}, true);
    if (!added) return known->second;  // true while its own jumps are looked at: a cycle is covered
    if (covered_.size() <= kMaxTailCallees)
      if (const auto sites = exit_sites_at(addr, codes_[module])) {
        for (const ExitSite& site : *sites) add_exit(CS_NO_FUNCTION, module, site);
        return true;
      }
    return covered_[{module, addr}] = false;
  }

  const FoundFunctions& found_;
  const PlanContext& context_;
  FunctionRegistry& registry_;
  std::deque<ModuleCode> codes_;                                     // of found_.modules
  std::vector<std::uint32_t> module_ids_;                            // the same, in the Recording
  std::vector<const ForeignProbes::ByOffset*> foreign_;              // the same; nullptr: none
  std::map<std::pair<std::uint32_t, std::uint64_t>, bool> covered_;  // tail callees by address
  NamedReasons untimed_;
  NamedReasons left_alone_;
  std::size_t no_room_ = 0;
  ProbePlan plan_;
};

std::string join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

}  // namespace

std::string list_note(const std::string& head, const NamedReasons& items) {
  std::string text = fmt::format("{} {}: ", items.size(), head);
  for (std::size_t i = 0; i < std::min(items.size(), kListed); ++i)
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", items[i].first, items[i].second);
  if (items.size() > kListed) text += fmt::format(" and {} more", items.size() - kListed);
  return text;
}

CachedModule* executable_module(std::int32_t pid, const Symbolizer& symbolizer) {
  const ProcessMaps* const process = symbolizer.process(pid);
  struct stat info{};
  if (process == nullptr || ::stat(("/proc/" + std::to_string(pid) + "/exe").c_str(), &info) != 0)
    return nullptr;
  for (const CodeMapping& code : process->mappings())
    if (code.module != nullptr && code.mapping.inode == info.st_ino &&
        code.mapping.dev_major == major(info.st_dev) &&
        code.mapping.dev_minor == minor(info.st_dev))
      return code.module;
  return nullptr;
}

std::vector<ProbeModule> probe_modules(std::int32_t pid, Symbolizer& symbolizer,
                                       std::span<const FunctionPattern> patterns) {
  std::vector<ProbeModule> modules;
  const ProcessMaps* const process = symbolizer.process(pid);
  if (process == nullptr) return modules;
  const CachedModule* const exe = executable_module(pid, symbolizer);
  std::set<const CachedModule*> seen;
  for (const CodeMapping& code : process->mappings()) {
    if (code.module == nullptr || code.mapping.inode == 0 || !seen.insert(code.module).second)
      continue;
    const bool main = code.module == exe;
    const std::string& path = code.module->path();
    const bool wanted = std::ranges::any_of(patterns, [&](const FunctionPattern& pattern) {
      return pattern.matches_module(path, main);
    });
    if (!wanted && !patterns.empty()) continue;
    const ModuleImage* const image = code.module->image();
    const ModuleSymbols* const symbols = code.module->symbols();
    if (image == nullptr || symbols == nullptr) continue;
    modules.push_back({path, map_file_path(pid, code.mapping), image->build_id(), main,
                       &image->image(), &symbols->table()});
  }
  return modules;
}

Result<FoundFunctions> find_probed_functions(std::int32_t pid, Symbolizer& symbolizer,
                                             std::span<const FunctionPattern> patterns) {
  FoundFunctions all;
  all.modules = probe_modules(pid, symbolizer, patterns);
  FindResult found = find_functions(all.modules, patterns);
  if (!found.unmatched.empty() && found.functions.empty()) {
    // Only now all libraries are read, to say where the name might be.
    all.modules = probe_modules(pid, symbolizer, {});
    found = find_functions(all.modules, patterns);
  }
  NamedReasons refused;
  for (const RefusedFunction& function : found.refused)
    if (!function.beside_functions) refused.emplace_back(function.name, function.reason);
  if (found.functions.empty()) {
    std::string why = found.unmatched.empty() ? "" : join(found.unmatched);
    if (!refused.empty()) why += (why.empty() ? "" : "; ") + list_note("cannot be probed", refused);
    const CachedModule* const exe = executable_module(pid, symbolizer);
    return fail(ErrorCode::kUsage, "no function to probe: " + why,
                "'callscope list " + (exe == nullptr ? "-p PID" : exe->path()) +
                    "' shows what can be probed");
  }
  all.functions = std::move(found.functions);
  if (!refused.empty()) all.notes.push_back(list_note("names cannot be probed", refused));
  for (const std::string& line : found.unmatched) all.notes.push_back(line);
  return all;
}

ProbePlan plan_probes(const FoundFunctions& found, const PlanContext& context,
                      Symbolizer& symbolizer, FunctionRegistry& registry) {
  ProbePlan plan = Planner(found, context, symbolizer, registry).run();
  if (!context.policy.reason.empty()) plan.notes.insert(plan.notes.begin(), context.policy.reason);
  plan.notes.insert(plan.notes.end(), found.notes.begin(), found.notes.end());
  return plan;
}

}  // namespace callscope
