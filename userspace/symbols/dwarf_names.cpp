// SPDX-License-Identifier: Apache-2.0
#include "symbols/dwarf_names.hpp"

#include <dwarf.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace callscope {
namespace {

// Nesting of namespaces, classes, functions and blocks; more is no program.
constexpr int kMaxNesting = 64;
// Functions in whose local classes functions lie, in whose local classes ...
constexpr int kMaxFunctions = 4;
// Entries of all lists that are kept, 32 bytes each. Functions are asked for unit by unit, so that
// throwing all away when it gets too much is rarely wrong. A unit of 100 MB has fewer.
constexpr std::size_t kMaxEntries = 1'000'000;

std::string text_of(Dwarf_Die& die, unsigned int attribute) {
  Dwarf_Attribute found;
  const char* const text = ::dwarf_formstring(::dwarf_attr_integrate(&die, attribute, &found));
  return text == nullptr ? "" : text;
}

constexpr std::string_view kUnnamed = "{unnamed}";

// What the scope adds to the names of what lies in it. Of lambdas the class is called
// "<lambda(int)>" or has no name.
std::string scope_name(Dwarf_Die& scope) {
  const std::string name = text_of(scope, DW_AT_name);
  switch (::dwarf_tag(&scope)) {
    case DW_TAG_namespace:
      return name.empty() ? "(anonymous namespace)" : name;
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
      if (name.starts_with("<lambda") && name.ends_with('>'))
        return "{" + name.substr(1, name.size() - 2) + "}";
      return name.empty() ? std::string(kUnnamed) : name;
    case DW_TAG_module:
      return name;
    default:  // a block
      return {};
  }
}

// A language that has no scopes.
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

const std::vector<Dwarf_Die>& DwarfNames::children_of(Dwarf_Die parent) {
  if (const auto known = children_.find(parent.addr); known != children_.end())
    return known->second;
  if (entries_ > kMaxEntries) {
    children_.clear();
    entries_ = 0;
  }
  std::vector<Dwarf_Die>& children = children_[parent.addr];
  Dwarf_Die child;
  // Damaged bytes may lead around in circles, real ones only onwards.
  for (int status = ::dwarf_child(&parent, &child); status == 0;
       status = ::dwarf_siblingof(&child, &child)) {
    if (!children.empty() && child.addr <= children.back().addr) break;
    children.push_back(child);
  }
  entries_ += children.size();
  return children;
}

std::string DwarfNames::scopes_around(Dwarf_Die die, int functions) {
  Dwarf_Die scope;
  std::string names;
  if (::dwarf_diecu(&die, &scope, nullptr, nullptr) == nullptr) return names;
  for (int depth = 0; depth < kMaxNesting; ++depth) {
    // DIEs lie in memory in the order of the tree: the last child before die holds it.
    const std::vector<Dwarf_Die>& children = children_of(scope);
    const auto after = std::ranges::upper_bound(children, die.addr, {}, &Dwarf_Die::addr);
    if (after == children.begin()) return names;
    scope = *std::prev(after);
    if (scope.addr == die.addr) return names;
    // A function may be defined outside of the class or namespace that it was declared in.
    if (::dwarf_tag(&scope) == DW_TAG_subprogram)
      names = functions < kMaxFunctions ? qualified_name(scope, functions + 1) + "::" : "";
    else if (const std::string name = scope_name(scope); !name.empty())
      names += name + "::";
  }
  return names;
}

std::string DwarfNames::qualified_name(Dwarf_Die function, int functions) {
  const std::string name = text_of(function, DW_AT_name);
  if (name.empty()) return name;
  Dwarf_Die unit;
  const Dwarf_Die declaration = declaration_of(function);
  if (::dwarf_diecu(&function, &unit, nullptr, nullptr) != nullptr && is_c(unit)) return name;
  std::string scopes = scopes_around(declaration, functions);
  if (name.starts_with("operator()") && scopes.ends_with(std::string(kUnnamed) + "::"))
    scopes.replace(scopes.size() - kUnnamed.size() - 2, kUnnamed.size(), "{lambda()}");
  return scopes + name;
}

std::string DwarfNames::source_name(Dwarf_Die function) { return qualified_name(function, 0); }

}  // namespace callscope
