// SPDX-License-Identifier: Apache-2.0
// Names of functions in DWARF. Linker names are attributes; the name in the source must be put
// together from the namespaces and classes around the declaration, which libdw does not keep: an
// index of each unit is made when it is first asked for. Refers to an open DwarfFile; one thread.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace callscope {

class DwarfNames {
 public:
  // Empty: the function has none.
  static std::string linker_name(Dwarf_Die function);
  // "ns::(anonymous namespace)::f"; empty: the function has no name.
  std::string source_name(Dwarf_Die function);

 private:
  // Offsets in .debug_info of what lies in a namespace or class, outer ones first.
  struct Scope {
    Dwarf_Off begin = 0;
    Dwarf_Off end = 0;
    std::string name;
  };
  using Scopes = std::vector<Scope>;
  static void collect_scopes(Dwarf_Die parent, Dwarf_Off end, std::size_t& budget, int depth,
                             Scopes& out);
  const Scopes& scopes_of_unit(Dwarf_Die die);

  std::map<const void*, Scopes> scopes_;  // by where the unit's first DIE lies in memory
};

}  // namespace callscope
