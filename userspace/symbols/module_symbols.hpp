// SPDX-License-Identifier: Apache-2.0
// All names known about one module, and where they came from: its own tables, a separate debug
// file, or .gnu_debugdata. Owns its names; the module image and the roots are needed during load()
// only. Immutable, thread-safe. A module without names is an empty table, not an error.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "symbols/module_image.hpp"
#include "symbols/symbol_table.hpp"
#include "symbols/target_root.hpp"

namespace callscope {

class ModuleSymbols {
 public:
  // module_path as the target sees it; roots (the target's, then ours) are where debug files are
  // looked for, none at all if empty.
  static ModuleSymbols load(const ModuleImage& module, const std::string& module_path,
                            std::span<const TargetRoot* const> roots);

  [[nodiscard]] const SymbolTable& table() const { return table_; }
  // "symtab", "debug file PATH", ".gnu_debugdata", "dynsym only (stripped)" or "none (stripped)".
  [[nodiscard]] const std::string& source() const { return source_; }
  // What was tried and did not fit, one line each: a debug file of another build, damaged data.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  SymbolTable table_;
  std::string source_;
  std::vector<std::string> problems_;
};

}  // namespace callscope
