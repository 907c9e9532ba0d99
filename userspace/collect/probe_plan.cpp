// SPDX-License-Identifier: Apache-2.0
#include "collect/probe_plan.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "callscope/abi/call_cookie.h"

namespace callscope {
namespace {

constexpr std::size_t kMaxTailCallees = 4096;
constexpr std::size_t kListed = 5;  // names shown of a long list

class Planner {
 public:
  Planner(const FoundFunctions& found, const ExitPolicy& policy, Symbolizer& symbolizer,
          FunctionRegistry& registry)
      : found_(found), policy_(policy), registry_(registry) {
    for (const ProbeModule& module : found.modules)
      module_ids_.push_back(symbolizer.module_id(ModuleKind::kElf, module.path, module.build_id));
  }

  ProbePlan run() {
    // All ids first: a tail jump may lead to a function that comes later.
    std::vector<std::optional<std::uint32_t>> ids;
    for (const FoundFunction& function : found_.functions) ids.push_back(number(function));
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (ids[i]) add(*ids[i], found_.functions[i]);
    if (!undecodable_.empty())
      plan_.notes.push_back(list_note("functions get entry counts only", undecodable_));
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

  void add(std::uint32_t id, const FoundFunction& function) {
    const ProbeModule& module = found_.modules[function.module];
    plan_.functions.push_back(id);
    const ExitMode exit = place(id, function, module);
    FunctionStats* const stats = registry_.stats(id);
    if (stats == nullptr || stats->site_addr != 0) return;  // of an earlier process
    stats->exit = exit;
    stats->site_addr = function.addr;
    stats->emulated_entry = function.emulated_entry;
  }

  ExitMode place(std::uint32_t id, const FoundFunction& function, const ProbeModule& module) {
    const auto entry = [&](cs_probe_kind kind) {
      return Probe{module.open_path, function.file_off, cs_cookie(kind, id, 0)};
    };
    const ExitMode best = safest_exit(function, module, policy_.best);
    if (best == ExitMode::kUretprobe) {
      plan_.probes.return_probed.push_back(entry(CS_PROBE_ENTRY));
      return ExitMode::kUretprobe;
    }
    if (best == ExitMode::kRetSite) {
      const Result<std::vector<ExitSite>> sites = exit_sites_of(function, module);
      if (sites) {
        // Exits first: an entry whose exit is not yet probed would look unwound.
        for (const ExitSite& site : *sites) add_exit(id, function, site);
        plan_.probes.sites.push_back(entry(CS_PROBE_ENTRY));
        return ExitMode::kRetSite;
      }
      undecodable_.emplace_back(function.name, sites.error().what);
    }
    plan_.probes.sites.push_back(entry(CS_PROBE_COUNT));
    return ExitMode::kEntryOnly;
  }

  void add_exit(std::uint32_t id, const FoundFunction& function, const ExitSite& site) {
    const ProbeModule& module = found_.modules[function.module];
    std::uint64_t cookie = cs_cookie(CS_PROBE_RET, id, 0);
    if (site.tail_jump) {
      const auto target = registry_.find(module_ids_[function.module], site.tail_target);
      if (!target && cover_tail_callee(function.module, site.tail_target))
        return;  // the call stays open until the callee returns
      cookie = cs_cookie(CS_PROBE_TAIL, id, target.value_or(CS_NO_FUNCTION));
    }
    const auto file_off = module.image->vaddr_to_file_off(site.addr);
    if (file_off)  // decoded from the file, so it is there
      plan_.probes.sites.push_back({module.open_path, *file_off, cookie});
  }

  // Probes the exits of a function that nobody asked for, so that the calls of those that jump to
  // it end when it returns. False: its exits are not known.
  bool cover_tail_callee(std::uint32_t module, std::uint64_t addr) {
    const auto [known, added] = covered_.try_emplace({module, addr}, true);
    if (!added) return known->second;  // true while its own jumps are looked at: a cycle is covered
    const auto callee = function_at(found_.modules[module], module, addr);
    if (callee && covered_.size() <= kMaxTailCallees)
      if (const auto sites = exit_sites_of(*callee, found_.modules[module])) {
        for (const ExitSite& site : *sites) add_exit(CS_NO_FUNCTION, *callee, site);
        return true;
      }
    return covered_[{module, addr}] = false;
  }

  const FoundFunctions& found_;
  const ExitPolicy& policy_;
  FunctionRegistry& registry_;
  std::vector<std::uint32_t> module_ids_;  // of found_.modules, in the Recording
  std::map<std::pair<std::uint32_t, std::uint64_t>, bool> covered_;  // tail callees by address
  NamedReasons undecodable_;
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
    modules.back().index_cold_parts();
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
    refused.emplace_back(function.name, function.reason);
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

ProbePlan plan_probes(const FoundFunctions& found, const ExitPolicy& policy, Symbolizer& symbolizer,
                      FunctionRegistry& registry) {
  ProbePlan plan = Planner(found, policy, symbolizer, registry).run();
  if (!policy.reason.empty()) plan.notes.insert(plan.notes.begin(), policy.reason);
  plan.notes.insert(plan.notes.end(), found.notes.begin(), found.notes.end());
  return plan;
}

}  // namespace callscope
