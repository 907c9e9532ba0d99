// SPDX-License-Identifier: Apache-2.0
#include "probes/function_finder.hpp"

#include <algorithm>
#include <utility>

#include "probes/decoder.hpp"

namespace callscope {
namespace {

using Group = SymbolTable::Group;

// The patterns that are about one module, but for those that are left out.
class Wanted {
 public:
  Wanted(std::span<const FunctionPattern> patterns, const ProbeModule& module,
         const std::vector<bool>& left_out) {
    for (std::size_t i = 0; i < patterns.size(); ++i)
      if ((left_out.empty() || !left_out[i]) &&
          patterns[i].matches_module(module.path, module.main))
        patterns_.emplace_back(i, &patterns[i]);
  }
  [[nodiscard]] bool empty() const { return patterns_.empty(); }

  // Whether one of them names one of the symbols; used: which did so far.
  [[nodiscard]] bool matches(Group group, std::vector<bool>& used) const {
    bool any = false;
    for (const Symbol& symbol : group) {
      FunctionName name(symbol.name);
      for (const auto& [index, pattern] : patterns_) {
        if (!pattern->matches_name(name)) continue;
        used[index] = true;
        any = true;
      }
    }
    return any;
  }

 private:
  std::vector<std::pair<std::size_t, const FunctionPattern*>> patterns_;  // by index
};

// Why a group of code symbols cannot be probed; empty if it can.
std::string refusal(Group group, const ElfImage& image) {
  const Symbol& symbol = group.front();
  if (std::ranges::any_of(group, [](const Symbol& s) { return s.ifunc(); }))
    return "an IFUNC resolver runs once at start-up: probe the variant that it picks";
  if (!symbol.function()) return "is a label in the code, not a function";
  if (symbol.size == 0) return "has no size in the symbol table";
  if (symbol.name.ends_with(".cold") || symbol.name.find(".cold.") != std::string_view::npos)
    return "is the unlikely part of another function";
  const auto code = image.bytes_at(symbol.addr, symbol.size);
  if (code.empty()) return "has no code in the file";
  const auto first = decode(code, symbol.addr);
  if (!first) return "does not begin with an instruction";
  if (first->refused_prefix)
    return "begins with a prefix (lock, segment) that the kernel does not probe";
  if (first->refuses_probe())
    return "begins with a vector instruction, which the kernel may emulate wrongly";
  return {};
}

FoundFunction describe(Group group, const ElfImage& image, std::uint32_t module) {
  const Symbol& symbol = group.front();
  FoundFunction found;
  found.name = symbol.name;
  for (const Symbol& alias : group.subspan(1)) found.aliases.emplace_back(alias.name);
  found.module = module;
  found.addr = symbol.addr;
  found.size_bytes = symbol.size;
  found.file_off = image.vaddr_to_file_off(symbol.addr).value_or(0);
  const auto first = decode(image.bytes_at(symbol.addr, symbol.size), symbol.addr);
  found.emulated_entry = first && first->emulated;
  return found;
}

std::string unmatched_hint(const FunctionPattern& pattern, std::span<const ProbeModule> modules) {
  std::string text = "'" + pattern.text() + "' matches no function";
  if (pattern.names_library()) {
    if (std::ranges::none_of(modules, [&](const ProbeModule& module) {
          return pattern.matches_module(module.path, module.main);
        }))
      text += ": no mapped file has that name";
    return text;
  }
  for (const ProbeModule& module : modules) {
    if (module.main && module.symbols->empty()) text += ": the executable is stripped";
    if (module.main) continue;
    for (std::size_t i = 0; i < module.symbols->group_count(); ++i)
      for (const Symbol& symbol : module.symbols->group(i))
        if (symbol.function() && pattern.matches_name(symbol.name))
          return text + " of the executable; try '" +
                 module.path.substr(module.path.rfind('/') + 1) + ":" + pattern.name_glob() + "'";
  }
  return text;
}

// What it names was found in a library that another pattern names.
bool found_elsewhere(const FunctionPattern& pattern, std::span<const FoundFunction> functions) {
  return !pattern.names_library() &&
         std::ranges::any_of(functions, [&](const FoundFunction& function) {
           return pattern.matches_name(function.name);
         });
}

}  // namespace

FindResult find_functions(std::span<const ProbeModule> modules,
                          std::span<const FunctionPattern> patterns) {
  FindResult result;
  std::vector<bool> used(patterns.size(), false);
  for (std::uint32_t m = 0; m < modules.size(); ++m) {
    const ProbeModule& module = modules[m];
    const Wanted wanted(patterns, module, {});
    if (wanted.empty()) continue;
    for (std::size_t i = 0; i < module.symbols->group_count(); ++i) {
      const Group group = module.symbols->group(i);
      if (group.front().name.ends_with("@plt")) continue;  // a jump to the function of a library
      if (!wanted.matches(group, used)) continue;
      if (std::string reason = refusal(group, *module.image); !reason.empty())
        result.refused.push_back({std::string(group.front().name), m, std::move(reason), false});
      else
        result.functions.push_back(describe(group, *module.image, m));
    }
  }
  const std::vector<bool> names_code = used;
  for (std::uint32_t m = 0; m < modules.size(); ++m) {
    const Wanted wanted(patterns, modules[m], {});
    const Wanted only_data(patterns, modules[m], names_code);
    if (wanted.empty()) continue;
    for (const Symbol& symbol : modules[m].symbols->data_symbols())
      if (wanted.matches({&symbol, 1}, used))
        result.refused.push_back({std::string(symbol.name), m, "is data, not a function",
                                  !only_data.matches({&symbol, 1}, used)});
  }
  for (std::size_t i = 0; i < patterns.size(); ++i)
    if (!used[i] && !found_elsewhere(patterns[i], result.functions))
      result.unmatched.push_back(unmatched_hint(patterns[i], modules));
  return result;
}

std::optional<FoundFunction> function_at(const ProbeModule& module, std::uint32_t index,
                                         std::uint64_t addr) {
  const Group group = module.symbols->at(addr);
  if (group.empty() || !refusal(group, *module.image).empty()) return std::nullopt;
  return describe(group, *module.image, index);
}

}  // namespace callscope
