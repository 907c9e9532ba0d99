// SPDX-License-Identifier: Apache-2.0
// Finds the separate file that holds the symbols of a stripped module: by build-id, then by
// .gnu_debuglink, as gdb does ("Debugging Information in Separate Files"). A file is taken only if
// its build-id agrees with the module's and, for a debuglink, its CRC-32. Thread-safe, no state.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "symbols/module_image.hpp"
#include "symbols/target_root.hpp"

namespace callscope {

struct DebugFile {
  ModuleImage image;
  std::string path;  // as seen from the root where it was found
};

struct DebugFileSearch {
  std::optional<DebugFile> found;
  std::vector<std::string> refused;  // one line for each file that was there but does not belong
};

// module_path is absolute, as the target sees it. Roots are searched in order.
DebugFileSearch find_debug_file(const ModuleImage& module, const std::string& module_path,
                                std::span<const TargetRoot* const> roots);

// Build-id of the file that holds what several debug files share, hex; empty: this one needs none.
std::string shared_build_id(const ModuleImage& debug);

// The file that holds what several debug files share, named by .gnu_debugaltlink as dwz writes it.
// The build-ids must agree. Nothing: the debug file needs none, or it is not there.
std::optional<DebugFile> find_shared_debug_file(const ModuleImage& debug,
                                                const std::string& debug_path,
                                                std::span<const TargetRoot* const> roots);

}  // namespace callscope
