// SPDX-License-Identifier: Apache-2.0
// Which functions were inlined, and where, as DWARF tells (DW_TAG_inlined_subroutine): calls there
// are calls that no probe can see. Reads every unit of the file, about 100 MB of .debug_info a
// second, so it belongs into a thread of its own; a deadline or a stop request ends it early, which
// the result says. Pure function of its bytes, which are untrusted; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "symbols/dwarf_file.hpp"

namespace callscope {

// A function that has copies in others. Those of one name in several units are one: templates and
// inline functions of headers, but also different static functions that happen to be called alike.
struct InlinedFunction {
  static constexpr std::size_t kMaxCallers = 5;

  std::string linker_name;           // empty: C, or C++ with internal linkage
  std::string name;                  // as in the source, with its namespaces
  std::uint64_t copies = 0;          // places in the code
  std::vector<std::string> callers;  // functions that hold the copies: the first few, linker names
  // ELF addresses of its own code, clones (.constprop.0) included, ascending. Empty: inlined
  // everywhere, or its own code is that of a unit where it is not inlined at all.
  std::vector<std::uint64_t> code;

  [[nodiscard]] const std::string& best_name() const {
    return linker_name.empty() ? name : linker_name;
  }
};

struct InlinedFunctions {
  std::vector<InlinedFunction> functions;  // by name, then linker name
  bool complete = true;                    // false: ended early, so copies may be missing
  std::uint64_t unread_units = 0;          // damaged, or their DWARF is in .dwo files
};

// Asked with the linker name, if there is one, and with the name in the source.
using NameFilter = std::function<bool(std::string_view name)>;

// Damaged bytes may send the search in circles, so there should be a deadline.
struct InlinedLimits {
  std::uint64_t deadline_ns = ~std::uint64_t{0};  // CLOCK_MONOTONIC
  std::stop_token stop;
};

InlinedFunctions find_inlined(const DwarfFile& file, const NameFilter& wanted,
                              const InlinedLimits& limits);

}  // namespace callscope
