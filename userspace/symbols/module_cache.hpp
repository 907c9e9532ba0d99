// SPDX-License-Identifier: Apache-2.0
// The modules that processes map, each opened once. A file is mapped as soon as a process is seen
// to map it, so names survive deletion and the end of the process; headers and symbols are read
// when the first address in it is asked for. Owns images and names; a CachedModule stays where it
// is for the life of the cache. Not thread-safe. What cannot be opened is cached as such.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "symbols/debug_info.hpp"
#include "symbols/module_image.hpp"
#include "symbols/module_symbols.hpp"
#include "target/maps.hpp"

namespace callscope {

class CachedModule {
 public:
  explicit CachedModule(std::string path) : path_(std::move(path)) {}

  // Path as the target sees it, or "[vdso]".
  [[nodiscard]] const std::string& path() const { return path_; }
  // nullptr: no ELF file, or it could not be opened; problem() says why.
  const ModuleImage* image();
  // nullptr as image(); never twice the work.
  const ModuleSymbols* symbols();
  // Anew each time: it is large. Nothing: there is none, or no image. Once image() was called, by
  // any thread.
  Result<std::optional<DebugInfo>> open_debug_info(const DebugFileFetcher& fetch = {},
                                                   std::uint64_t max_bytes = kMaxDebugBytes);
  [[nodiscard]] const std::string& problem() const { return problem_; }
  // nullptr if symbols() was not called yet.
  [[nodiscard]] const ModuleSymbols* loaded_symbols() const {
    return symbols_ ? &*symbols_ : nullptr;
  }

 private:
  friend class ModuleCache;
  [[nodiscard]] std::vector<const TargetRoot*> roots_with(const Result<TargetRoot>& host) const;

  std::string path_;
  std::string problem_;
  std::shared_ptr<const TargetRoot> root_;  // shared by all modules and mappings of one process
  std::optional<MappedFile> file_;          // until image() takes it
  std::optional<ModuleImage> image_;
  std::optional<ModuleSymbols> symbols_;
};

class ModuleCache {
 public:
  // The module behind an executable mapping of a live process. Opened through map_files, else by
  // its path inside root (may be null).
  CachedModule& open(std::int32_t pid, const Mapping& mapping,
                     const std::shared_ptr<const TargetRoot>& root);

  [[nodiscard]] const std::vector<std::unique_ptr<CachedModule>>& modules() const {
    return modules_;
  }

 private:
  // Device and inode name a file as long as it is mapped, and each file here is. A file that could
  // not be opened is known by its path as well.
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, std::string>;
  CachedModule& open_vdso(std::int32_t pid, const Mapping& mapping);
  CachedModule& add(std::string path);

  std::vector<std::unique_ptr<CachedModule>> modules_;
  std::map<Key, CachedModule*> by_file_;
  std::map<std::string, CachedModule*> vdso_by_build_id_;  // one for each kind of process
};

}  // namespace callscope
