// SPDX-License-Identifier: Apache-2.0
#include "collect/found_functions.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <set>
#include <utility>

#include "collect/list_note.hpp"

namespace callscope {
namespace {

std::string join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

}  // namespace

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
    modules.push_back(
        {path, image->lasting_path(), image->build_id(), main, &image->image(), &symbols->table()});
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
    if (!refused.empty())
      why += (why.empty() ? "" : "; ") + list_note("cannot be probed", "name", refused);
    const CachedModule* const exe = executable_module(pid, symbolizer);
    return fail(ErrorCode::kUsage, "no function to probe: " + why,
                "'callscope list " + (exe == nullptr ? "-p PID" : exe->path()) +
                    "' shows what can be probed");
  }
  all.functions = std::move(found.functions);
  if (!refused.empty()) all.notes.push_back(list_note("cannot be probed", "name", refused));
  for (const std::string& line : found.unmatched) all.notes.push_back(line);
  return all;
}

}  // namespace callscope
