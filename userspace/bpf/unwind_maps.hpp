// SPDX-License-Identifier: Apache-2.0
// The maps that the stack walker of all BPF objects reads (bpf/common/unwind/maps.bpf.h): unwind
// tables, and which of them covers which code of which process. Owns them; the objects share them.
// Written through mmap, so a table costs no system call; a process changes its code by one atomic
// replacement. One thread at a time. What does not fit is refused with kUnsupported.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

#include "bpf/run_allocator.hpp"
#include "bpf/shared_array.hpp"
#include "callscope/abi/code.h"
#include "callscope/error.hpp"
#include "sys/fd.hpp"
#include "unwind/unwind_table.hpp"

struct bpf_object;

namespace callscope {

class UnwindMaps {
 public:
  // Elements of each map. 4 Mi rows are 16 MiB: libc has 24,000, libLLVM a million.
  struct Sizes {
    std::uint32_t rows = 4U << 20;
    std::uint32_t pages = 1U << 16;   // 4 GiB of code
    std::uint32_t ranges = 1U << 16;  // executable mappings of all processes
    std::uint32_t rules = 1U << 14;   // all of a desktop's programs need 10,000
    std::uint32_t processes = 1U << 14;
  };
  // Where a table was put: what RangeOfTable needs, and what is given back.
  struct PlacedTable {
    Run rows;
    Run pages;
    std::uint64_t first_page = 0;  // number of the ELF virtual page that pages begins with

    // The pages member of a cs_code_range.
    [[nodiscard]] std::uint32_t range_pages() const {
      return pages.first - static_cast<std::uint32_t>(first_page);
    }
  };

  static Result<UnwindMaps> create(const Sizes& sizes);

  // To call between opening and loading an object that includes the walker.
  Result<void> give_to(bpf_object* object) const;

  Result<PlacedTable> add_table(const UnwindTable& table);
  // No range of a process may refer to it any more.
  void remove_table(const PlacedTable& table);

  // Ranges of one or several processes (a forked child has its parent's), sorted by start.
  Result<Run> add_ranges(std::span<const cs_code_range> ranges);
  void remove_ranges(Run ranges);
  Result<void> set_process(std::uint32_t tgid, Run ranges);
  void remove_process(std::uint32_t tgid);
  // What the process has now: BPF may have given it its parent's, or none after an exec.
  [[nodiscard]] std::optional<Run> process(std::uint32_t tgid) const;

  [[nodiscard]] std::uint32_t rows_used() const { return free_rows_.used(); }

 private:
  UnwindMaps(const Sizes& sizes)
      : sizes_(sizes),
        free_rows_(sizes.rows),
        free_pages_(sizes.pages),
        free_ranges_(sizes.ranges) {}
  Result<void> make_maps();
  Result<std::uint16_t> shared_rule(const cs_unwind_rule& rule);
  [[nodiscard]] Result<void> write_rows(const UnwindTable& table,
                                        std::span<const std::uint16_t> shared_rules, Run to) const;

  using RuleKey = std::array<std::uint64_t, 3>;
  struct RuleHash {
    std::size_t operator()(const RuleKey& key) const;
  };

  Sizes sizes_;
  Fd code_, ranges_fd_, pages_fd_, rows_fd_, rules_fd_;
  SharedArray ranges_, pages_, rules_;
  RunAllocator free_rows_, free_pages_, free_ranges_;
  std::uint32_t generation_ = 0;
  std::unordered_map<RuleKey, std::uint16_t, RuleHash> rule_index_;  // never shrinks
};

}  // namespace callscope
