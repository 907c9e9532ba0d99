// SPDX-License-Identifier: Apache-2.0
#include "collect/probe_plan.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <map>
#include <set>

namespace callscope {
namespace {

constexpr std::size_t kMaxTailCallees = 4096;
constexpr std::size_t kListed = 5;  // names shown of a long list

class Planner {
 public:
  Planner(Symbolizer& symbolizer, std::span<const ProbeModule> modules,
          std::span<const FoundFunction> found, const ExitPolicy& policy)
      : symbolizer_(symbolizer), modules_(modules), found_(found), policy_(policy) {
    for (std::uint32_t i = 0; i < found.size(); ++i)
      id_by_addr_[{found[i].module, found[i].addr}] = i;
  }

  ProbePlan run() {
    for (std::uint32_t id = 0; id < found_.size(); ++id) add(id);
    if (!undecodable_.empty())
      plan_.notes.push_back(list_note("functions get entry counts only", undecodable_));
    return std::move(plan_);
  }

 private:
  void add(std::uint32_t id) {
    const FoundFunction& function = found_[id];
    const ProbeModule& module = modules_[function.module];
    const Probe entry{module.open_path, function.file_off, id};
    const ExitMode exit = place_exits(id, function, module, entry);
    FunctionStats stats;
    stats.name = function.name;
    stats.aliases = function.aliases;
    stats.module = symbolizer_.module_id(ModuleKind::kElf, module.path, module.build_id);
    stats.addr = function.addr;
    stats.size_bytes = function.size_bytes;
    stats.exit = exit;
    stats.site_addr = function.addr;
    stats.emulated_entry = function.emulated_entry;
    plan_.functions.push_back(std::move(stats));
  }

  ExitMode place_exits(std::uint32_t id, const FoundFunction& function, const ProbeModule& module,
                       const Probe& entry) {
    const ExitMode best = safest_exit(function, module, policy_.best);
    if (best == ExitMode::kUretprobe) {
      plan_.probes.return_probed.push_back(entry);
      return ExitMode::kUretprobe;
    }
    if (best == ExitMode::kRetSite) {
      const Result<std::vector<ExitSite>> sites = exit_sites_of(function, module);
      if (sites) {
        plan_.probes.site_entries.push_back(entry);
        for (const ExitSite& site : *sites) add_exit_site(id, function, site);
        return ExitMode::kRetSite;
      }
      undecodable_.emplace_back(function.name, sites.error().what);
    }
    plan_.probes.counted.push_back(entry);
    return ExitMode::kEntryOnly;
  }

  void add_exit_site(std::uint32_t id, const FoundFunction& function, const ExitSite& site) {
    const ProbeModule& module = modules_[function.module];
    std::uint64_t kind = CS_EXIT_RET;
    if (site.tail_jump) {
      const auto target = id_by_addr_.find({function.module, site.tail_target});
      if (target != id_by_addr_.end())
        kind = CS_EXIT_TAIL_FUNC + target->second;
      else if (cover_tail_callee(function.module, site.tail_target))
        return;  // the call stays open until the callee returns
      else
        kind = CS_EXIT_TAIL_UNKNOWN;
    }
    const auto file_off = module.image->vaddr_to_file_off(site.addr);
    if (file_off)  // decoded from the file, so it is there
      plan_.probes.exit_sites.push_back({module.open_path, *file_off, id | kind << 32});
  }

  // Probes the exits of a function that nobody asked for, so that the calls of those that jump to
  // it end when it returns. False: its exits are not known.
  bool cover_tail_callee(std::uint32_t module, std::uint64_t addr) {
    const auto [known, added] = covered_.try_emplace({module, addr}, true);
    if (!added) return known->second;  // true while its own jumps are looked at: a cycle is covered
    const auto callee = function_at(modules_[module], module, addr);
    if (callee && covered_.size() <= kMaxTailCallees)
      if (const auto sites = exit_sites_of(*callee, modules_[module])) {
        for (const ExitSite& site : *sites) add_exit_site(CS_NO_FUNCTION, *callee, site);
        return true;
      }
    return covered_[{module, addr}] = false;
  }

  Symbolizer& symbolizer_;
  std::span<const ProbeModule> modules_;
  std::span<const FoundFunction> found_;
  const ExitPolicy& policy_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint32_t> id_by_addr_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, bool> covered_;  // tail callees by address
  NamedReasons undecodable_;
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

Result<ProbePlan> plan_probes(std::int32_t pid, Symbolizer& symbolizer,
                              std::span<const FunctionPattern> patterns, const ExitPolicy& policy) {
  std::vector<ProbeModule> modules = probe_modules(pid, symbolizer, patterns);
  FindResult found = find_functions(modules, patterns);
  if (!found.unmatched.empty() && found.functions.empty()) {
    // Only now all libraries are read, to say where the name might be.
    modules = probe_modules(pid, symbolizer, {});
    found = find_functions(modules, patterns);
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
  ProbePlan plan = Planner(symbolizer, modules, found.functions, policy).run();
  if (!refused.empty()) plan.notes.push_back(list_note("names cannot be probed", refused));
  for (const std::string& line : found.unmatched) plan.notes.push_back(line);
  if (!policy.reason.empty()) plan.notes.insert(plan.notes.begin(), policy.reason);
  return plan;
}

}  // namespace callscope
