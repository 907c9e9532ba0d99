// SPDX-License-Identifier: Apache-2.0
#include "collect/loader_hooks.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "callscope/abi/call_cookie.h"
#include "collect/probe_plan.hpp"
#include "target/maps.hpp"
#include "target/module_facts.hpp"

namespace callscope {
namespace {

bool is_loader(std::string_view name) {
  return name.starts_with("ld-") || name.starts_with("ld.so") || name.starts_with("libc.musl-");
}

std::optional<std::uint64_t> find_function(const SymbolTable& table, std::string_view name) {
  for (std::size_t i = 0; i < table.group_count(); ++i)
    for (const Symbol& symbol : table.group(i))
      if (symbol.name == name && symbol.function()) return symbol.addr;
  return std::nullopt;
}

}  // namespace

LoaderHooks find_loader_hooks(std::int32_t pid, const Symbolizer& symbolizer) {
  LoaderHooks hooks;
  const ProcessMaps* const process = symbolizer.process(pid);
  if (process == nullptr) return hooks;
  const CachedModule* const exe = executable_module(pid, symbolizer);
  std::set<const CachedModule*> seen;
  const auto add = [&](const CodeMapping& code, std::string_view name, cs_probe_kind kind) {
    const ModuleImage* const image = code.module->image();
    const ModuleSymbols* const symbols = code.module->symbols();
    if (image == nullptr || symbols == nullptr) return false;
    const auto addr = find_function(symbols->table(), name);
    const auto file_off = addr ? image->image().vaddr_to_file_off(*addr) : std::nullopt;
    if (!file_off) return false;
    hooks.probes.sites.push_back(
        {image->lasting_path(), *file_off, cs_cookie(kind, CS_NO_FUNCTION, 0)});
    return true;
  };
  for (const CodeMapping& code : process->mappings()) {
    if (code.module == nullptr || code.mapping.inode == 0 || !seen.insert(code.module).second)
      continue;
    // Where debuggers learn of it too (r_debug): before constructors and before dlopen returns.
    if (is_loader(file_name(code.module->path())))
      hooks.loader = add(code, "_dl_debug_state", CS_PROBE_LOADER) || hooks.loader;
    if (!is_unwinder_library(code.module->path()) && code.module != exe) continue;
    add(code, "__cxa_begin_catch", CS_PROBE_CATCH);
    for (const char* const name : {"__cxa_throw", "__cxa_rethrow",
                                   "_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE"})
      add(code, name, CS_PROBE_THROW);
  }
  return hooks;
}

}  // namespace callscope
