// SPDX-License-Identifier: Apache-2.0
// Names of functions in DWARF. Linker names are attributes; the name in the source must be put
// together from the namespaces, classes and functions around the declaration, which libdw does not
// keep: the way down to it is looked for, and what was seen on the way is kept for the next name.
// Refers to an open DwarfFile; one thread.
#pragma once

#include <elfutils/libdw.h>

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

namespace callscope {

class DwarfNames {
 public:
  // Empty: the function has none.
  static std::string linker_name(Dwarf_Die function);
  // "ns::(anonymous namespace)::f", "ns::f::{lambda(int)}::operator()"; empty: it has no name.
  std::string source_name(Dwarf_Die function);

 private:
  // functions: how many functions were passed on the way out of local classes.
  std::string qualified_name(Dwarf_Die function, int functions);
  std::string scopes_around(Dwarf_Die die, int functions);
  const std::vector<Dwarf_Die>& children_of(Dwarf_Die parent);

  std::unordered_map<const void*, std::vector<Dwarf_Die>> children_;  // by where parents lie
  std::size_t entries_ = 0;                                           // of all lists
};

}  // namespace callscope
