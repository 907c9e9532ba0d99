// SPDX-License-Identifier: Apache-2.0
// The modules that the targets run code of, with their unwind tables in the kernel: opened as the
// targets see them, compiled once, kept for the next process as long as there is room. Owns the
// tables' places in the maps, which must outlive it. One thread; compiling uses several of its own.
// A module without a usable table is no error: its frames are found by frame pointers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "bpf/unwind_maps.hpp"
#include "target/maps.hpp"
#include "unwind/unwind_cache.hpp"

namespace callscope {

class UnwindModule {
 public:
  // What the walker must know of this mapping, with kind CS_CODE_NO_TABLE if it has no table.
  [[nodiscard]] cs_code_range range_of(const Mapping& mapping) const;

 private:
  friend class UnwindModules;

  struct Segment {  // executable PT_LOAD
    std::uint64_t file_off = 0;
    std::uint64_t file_size = 0;
    std::uint64_t vaddr = 0;
  };
  std::vector<Segment> segments_;
  std::optional<UnwindMaps::PlacedTable> table_;
  bool failed_ = false;  // could not be read: the next process that maps it may live longer
  std::uint32_t users_ = 0;
  std::uint64_t last_used_ = 0;  // turn of UnwindModules
};

class UnwindModules {
 public:
  // Both must outlive it.
  UnwindModules(UnwindMaps& maps, UnwindCache& cache) : maps_(maps), cache_(cache) {}

  // The modules of these mappings of a live process, in their order; nullptr where there is no
  // file. Each is in use until it is released as often.
  std::vector<UnwindModule*> acquire(std::int32_t pid, std::span<const Mapping> mappings);
  void release(std::span<UnwindModule* const> modules);

  struct Counts {
    std::uint64_t without_room = 0;  // tables that did not fit
    std::uint64_t unreadable = 0;    // files that could not be opened or are no ELF files
    std::uint64_t invalid_rows = 0;  // places that the tables cannot express
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct Key {
    std::uint32_t dev_major = 0;
    std::uint32_t dev_minor = 0;
    std::uint64_t inode = 0;  // 0: the vdso
    auto operator<=>(const Key&) const = default;
  };
  void place(UnwindModule& module, const UnwindTable& table);
  bool drop_oldest_unused();

  UnwindMaps& maps_;
  UnwindCache& cache_;
  std::map<Key, std::unique_ptr<UnwindModule>> modules_;
  std::uint64_t turn_ = 0;
  Counts counts_;
};

}  // namespace callscope
