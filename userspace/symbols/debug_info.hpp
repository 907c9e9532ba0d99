// SPDX-License-Identifier: Apache-2.0
// The debug information of one module, wherever it is: in the module, in a separate file, or with a
// debuginfod server that the user named; and the file that several share (dwz). Owns what it found;
// the module's own bytes must outlive it. One thread at a time. Fails as DwarfFile::open does.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "symbols/debug_file.hpp"
#include "symbols/debuginfod.hpp"
#include "symbols/dwarf_file.hpp"

namespace callscope {

class DebugInfo {
 public:
  // module_path and roots as for find_debug_file; fetch (may be empty) is asked for what is not
  // there, and its error passed on; max_bytes as for DwarfFile. Nothing: there is none to be found.
  static Result<std::optional<DebugInfo>> open(const ModuleImage& module,
                                               const std::string& module_path,
                                               std::span<const TargetRoot* const> roots,
                                               const DebugFileFetcher& fetch = {},
                                               std::uint64_t max_bytes = kMaxDebugBytes);

  [[nodiscard]] const DwarfFile& dwarf() const { return *dwarf_; }
  // The separate file; nullptr: the module has its debug information itself.
  [[nodiscard]] const DebugFile* separate() const { return separate_ ? &*separate_ : nullptr; }
  // Whether fetch found it, so that nobody has looked for names in it yet.
  [[nodiscard]] bool fetched() const { return fetched_; }

 private:
  bool fetched_ = false;
  // In the order of need: destroyed from the last to the first.
  std::optional<DebugFile> separate_;
  std::optional<DebugFile> shared_;
  std::optional<DwarfFile> dwarf_;
};

}  // namespace callscope
