// SPDX-License-Identifier: Apache-2.0
#include "symbols/inlined_functions.hpp"

#include <dwarf.h>

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "symbols/dwarf_names.hpp"
#include "sys/clock.hpp"

namespace callscope {
namespace {

constexpr std::uint64_t kEntriesPerLook = 4096;  // between two looks at clock and stop token

class Scan {
 public:
  Scan(const DwarfFile& file, const NameFilter& wanted, const InlinedLimits& limits)
      : file_(file), wanted_(wanted), limits_(limits) {}

  InlinedFunctions run() {
    Dwarf_CU* unit = nullptr;
    int status = 0;
    while (!ended_) {
      Dwarf_Die top;
      std::uint8_t type = 0;
      // No sub-DIE is asked for: libdw would open the .dwo file that a skeleton names.
      status = ::dwarf_get_units(file_.get(), unit, &unit, nullptr, &type, &top, nullptr);
      if (status != 0) break;
      if (type == DW_UT_skeleton || ::dwarf_tag(&top) == DW_TAG_invalid)
        ++result_.unread_units;
      else if (type != DW_UT_type)
        visit_children(top, nullptr, 0);
    }
    if (status < 0) ++result_.unread_units;
    result_.complete = !ended_;
    for (auto& [name, function] : functions_) {
      if (function.copies == 0) continue;
      std::ranges::sort(function.code);
      result_.functions.push_back(std::move(function));
    }
    std::ranges::sort(result_.functions, {}, [](const InlinedFunction& function) {
      return std::pair(std::string_view(function.name), std::string_view(function.linker_name));
    });
    return std::move(result_);
  }

 private:
  // function: the one with code that parent lies in; nullptr outside of functions.
  void visit_children(Dwarf_Die parent, const Dwarf_Die* function, int depth) {
    Dwarf_Die child;
    if (depth > kMaxDwarfDepth || ::dwarf_child(&parent, &child) != 0) return;
    do {
      if (++entries_ % kEntriesPerLook == 0) look_for_end();
      if (ended_) return;
      visit(child, function, depth + 1);
    } while (::dwarf_siblingof(&child, &child) == 0);
  }

  void visit(Dwarf_Die& die, const Dwarf_Die* function, int depth) {
    switch (::dwarf_tag(&die)) {
      case DW_TAG_subprogram:
        return visit_function(die, depth);
      case DW_TAG_inlined_subroutine:
        note_copy(die, function);
        return visit_children(die, function, depth);
      case DW_TAG_namespace:
      case DW_TAG_module:
      case DW_TAG_lexical_block:
      case DW_TAG_try_block:
      case DW_TAG_catch_block:
        return visit_children(die, function, depth);
      case DW_TAG_structure_type:  // gcc leaves methods of local classes and lambdas in there
      case DW_TAG_class_type:
        return function == nullptr ? void() : visit_children(die, function, depth);
      default:  // other types, variables, call sites: no code below them
        return;
    }
  }

  // Units that share an inline function or a template each tell of its code. The linker keeps one
  // copy of that and makes the other units point to it, too, or to nothing.
  void visit_function(Dwarf_Die& die, int depth) {
    if (const auto addr = code_addr(die)) {
      if (!seen_code_.insert(*addr).second) return;
      if (InlinedFunction* const function = origin_of(die)) function->code.push_back(*addr);
    }
    visit_children(die, &die, depth);
  }

  void note_copy(Dwarf_Die& die, const Dwarf_Die* caller) {
    InlinedFunction* const function = origin_of(die);
    if (function == nullptr || !code_addr(die)) return;
    ++function->copies;
    if (caller == nullptr || function->callers.size() >= InlinedFunction::kMaxCallers) return;
    std::string name = DwarfNames::linker_name(*caller);
    if (name.empty()) name = names_.source_name(*caller);
    if (!name.empty() && std::ranges::find(function->callers, name) == function->callers.end())
      function->callers.push_back(std::move(name));
  }

  // What the copy or the code was made from, if it is wanted.
  InlinedFunction* origin_of(Dwarf_Die& die) {
    Dwarf_Attribute attribute;
    Dwarf_Die origin;
    if (::dwarf_formref_die(::dwarf_attr(&die, DW_AT_abstract_origin, &attribute), &origin) ==
        nullptr)
      return nullptr;
    const auto [known, added] = origins_.try_emplace(origin.addr, nullptr);
    if (added) known->second = wanted_function(origin);
    return known->second;
  }

  InlinedFunction* wanted_function(const Dwarf_Die& origin) {
    std::string linker_name = DwarfNames::linker_name(origin);
    std::string name = names_.source_name(origin);
    const bool wanted =
        (!linker_name.empty() && wanted_(linker_name)) || (!name.empty() && wanted_(name));
    if (!wanted) return nullptr;
    InlinedFunction& function = functions_[{linker_name, linker_name.empty() ? name : ""}];
    function.linker_name = std::move(linker_name);
    function.name = std::move(name);
    return &function;
  }

  // Where its code begins; nothing if it has none in this file.
  std::optional<std::uint64_t> code_addr(Dwarf_Die& die) const {
    Dwarf_Addr addr = 0;
    if (::dwarf_entrypc(&die, &addr) == 0 && file_.is_code(addr)) return addr;
    Dwarf_Addr base = 0;
    Dwarf_Addr end = 0;
    for (std::ptrdiff_t next = 0; (next = ::dwarf_ranges(&die, next, &base, &addr, &end)) > 0;)
      if (file_.is_code(addr)) return addr;
    return std::nullopt;
  }

  void look_for_end() {
    ended_ = limits_.stop.stop_requested() || monotonic_ns() > limits_.deadline_ns;
  }

  const DwarfFile& file_;
  const NameFilter& wanted_;
  const InlinedLimits& limits_;
  DwarfNames names_;
  // By linker name, or else by name; std::map because origins_ points to its elements.
  std::map<std::pair<std::string, std::string>, InlinedFunction> functions_;
  // By where the origin lies in memory; nullptr: not wanted.
  std::unordered_map<const void*, InlinedFunction*> origins_;
  std::unordered_set<std::uint64_t> seen_code_;  // where functions begin
  InlinedFunctions result_;
  std::uint64_t entries_ = 0;
  bool ended_ = false;
};

}  // namespace

InlinedFunctions find_inlined(const DwarfFile& file, const NameFilter& wanted,
                              const InlinedLimits& limits) {
  return Scan(file, wanted, limits).run();
}

}  // namespace callscope
