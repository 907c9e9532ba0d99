// SPDX-License-Identifier: Apache-2.0
#include "report/name_filter.hpp"

#include <fnmatch.h>

#include <algorithm>

#include "model/function_table.hpp"
#include "report/frame_label.hpp"

namespace callscope {

bool function_matches(const Recording& recording, const FunctionStats& function,
                      const std::string& glob) {
  const auto fits = [&](const std::string& name) {
    return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
  };
  return fits(function.name) || std::ranges::any_of(function.aliases, fits) ||
         fits(module_label(recording.modules[function.module]) + ":" + function.name);
}

std::vector<std::uint32_t> matching_functions(const Recording& recording, const std::string& glob,
                                              std::size_t limit) {
  std::vector<std::uint32_t> found;
  for (const FunctionRow& row : function_table(recording, "total")) {
    if (limit > 0 && found.size() == limit) break;
    if (row.stats->calls > 0 && function_matches(recording, *row.stats, glob))
      found.push_back(row.function);
  }
  return found;
}

}  // namespace callscope
