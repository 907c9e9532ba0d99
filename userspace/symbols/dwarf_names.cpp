// SPDX-License-Identifier: Apache-2.0
#include "symbols/dwarf_names.hpp"

#include <dwarf.h>

namespace callscope {
namespace {

// Nesting of namespaces and classes; more is no program.
constexpr int kMaxDepth = 64;
// Namespaces, classes and what lies directly in them; a unit of 100 MB has fewer.
constexpr std::size_t kMaxEntries = 4'000'000;
// Functions are asked for unit by unit, so few indexes are enough; each may be some 100 KB.
constexpr std::size_t kKeptUnits = 8;

std::string text_of(Dwarf_Die& die, unsigned int attribute) {
  Dwarf_Attribute found;
  const char* const text = ::dwarf_formstring(::dwarf_attr_integrate(&die, attribute, &found));
  return text == nullptr ? "" : text;
}

bool is_scope(int tag) {
  return tag == DW_TAG_namespace || tag == DW_TAG_class_type || tag == DW_TAG_structure_type ||
         tag == DW_TAG_union_type || tag == DW_TAG_module;
}

// A language that has no scopes; its many structs need not be looked at.
bool is_c(Dwarf_Die& unit) {
  const int language = ::dwarf_srclang(&unit);
  return language == DW_LANG_C || language == DW_LANG_C89 || language == DW_LANG_C99 ||
         language == DW_LANG_C11;
}

// The declaration that a definition outside of its class or namespace belongs to.
Dwarf_Die declaration_of(Dwarf_Die die) {
  for (int hops = 0; hops < 4; ++hops) {
    Dwarf_Attribute attribute;
    Dwarf_Die target;
    const bool found = ::dwarf_formref_die(::dwarf_attr(&die, DW_AT_abstract_origin, &attribute),
                                           &target) != nullptr ||
                       ::dwarf_formref_die(::dwarf_attr(&die, DW_AT_specification, &attribute),
                                           &target) != nullptr;
    if (!found) return die;
    die = target;
  }
  return die;
}

}  // namespace

std::string DwarfNames::linker_name(Dwarf_Die function) {
  std::string name = text_of(function, DW_AT_linkage_name);
  return name.empty() ? text_of(function, DW_AT_MIPS_linkage_name) : name;
}

// budget: entries that may still be looked at; damaged bytes may lead around in circles.
void DwarfNames::collect_scopes(Dwarf_Die parent, Dwarf_Off end, std::size_t& budget, int depth,
                                Scopes& out) {
  Dwarf_Die child;
  if (depth > kMaxDepth || ::dwarf_child(&parent, &child) != 0) return;
  while (budget > 0) {
    --budget;
    Dwarf_Die next;
    const bool last = ::dwarf_siblingof(&child, &next) != 0;
    if (is_scope(::dwarf_tag(&child)) && ::dwarf_haschildren(&child) == 1) {
      std::string name = text_of(child, DW_AT_name);
      if (name.empty()) name = "(anonymous namespace)";
      const Dwarf_Off child_end = last ? end : ::dwarf_dieoffset(&next);
      out.push_back({::dwarf_dieoffset(&child), child_end, std::move(name)});
      collect_scopes(child, child_end, budget, depth + 1, out);
    }
    if (last) return;
    child = next;
  }
}

const DwarfNames::Scopes& DwarfNames::scopes_of_unit(Dwarf_Die die) {
  Dwarf_Die unit;
  static const Scopes kNone;
  if (::dwarf_diecu(&die, &unit, nullptr, nullptr) == nullptr) return kNone;
  if (const auto known = scopes_.find(unit.addr); known != scopes_.end()) return known->second;
  if (scopes_.size() >= kKeptUnits) scopes_.clear();
  const auto known = scopes_.try_emplace(unit.addr).first;
  std::size_t budget = kMaxEntries;
  if (!is_c(unit)) collect_scopes(unit, ~Dwarf_Off{0}, budget, 0, known->second);
  return known->second;
}

std::string DwarfNames::source_name(Dwarf_Die function) {
  const std::string name = text_of(function, DW_AT_name);
  if (name.empty()) return name;
  Dwarf_Die declaration = declaration_of(function);
  const Dwarf_Off at = ::dwarf_dieoffset(&declaration);
  std::string qualified;
  for (const Scope& scope : scopes_of_unit(declaration))
    if (at > scope.begin && at < scope.end) qualified += scope.name + "::";
  return qualified + name;
}

}  // namespace callscope
