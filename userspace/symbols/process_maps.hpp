// SPDX-License-Identifier: Apache-2.0
// Where the code of one process lies: its executable mappings and the modules behind them, kept up
// to date by refresh(). Mappings that went away (dlclose, exec) are remembered and searched last,
// so that addresses sampled before keep their module. Points into a ModuleCache that must outlive
// it. Not thread-safe; when the process has ended, what is known stays.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "symbols/jit_dump_file.hpp"
#include "symbols/module_cache.hpp"
#include "symbols/perf_map_file.hpp"

namespace callscope {

struct CodeMapping {
  Mapping mapping;
  CachedModule* module = nullptr;  // null: anonymous memory (JIT code) or a special mapping
};

// Memory that a runtime may have compiled code into: anonymous, or shared so that it can be mapped
// twice. Special mappings of the kernel ([vsyscall], [uprobes]) are none.
bool may_be_jit(const Mapping& mapping);

class ProcessMaps {
 public:
  ProcessMaps(std::int32_t pid, ModuleCache& cache) : pid_(pid), cache_(cache), jit_(pid) {}

  // Of /proc/PID/maps. kNotFound: it has ended, or has no code.
  static Result<std::string> read_text(std::int32_t pid);
  Result<void> refresh(const std::string& text);
  // Of JIT code only: node writes the last ones of a jitdump when it ends.
  void refresh_names();
  // What a forked child of other starts with.
  void inherit(const ProcessMaps& other);

  // Executable mappings by start address.
  [[nodiscard]] const std::vector<CodeMapping>& mappings() const { return current_; }
  // nullptr: no executable mapping holds addr.
  [[nodiscard]] const CodeMapping* find(std::uint64_t addr) const;
  // By the jitdump file, which is written at once and says more, else by the perf map.
  [[nodiscard]] std::optional<PerfMap::Match> find_jit(std::uint64_t addr) const {
    const auto dumped = jit_dump_.dump().map().find(addr);
    return dumped ? dumped : jit_.map().find(addr);
  }
  // Goes up each time that refresh() read new names of the perf map or the jitdump file.
  [[nodiscard]] std::uint64_t jit_generation() const { return jit_generation_; }

 private:
  void set_mappings(std::vector<Mapping> mappings);

  std::int32_t pid_;
  ModuleCache& cache_;
  std::string text_;  // of /proc/PID/maps at the last refresh: unchanged text needs no work
  std::shared_ptr<const TargetRoot> root_;  // also owned by modules not loaded yet
  std::vector<CodeMapping> current_;        // by start address
  std::vector<CodeMapping> former_;         // oldest first, bounded
  PerfMapFile jit_;
  JitDumpFile jit_dump_;
  std::uint64_t jit_generation_ = 0;
};

}  // namespace callscope
