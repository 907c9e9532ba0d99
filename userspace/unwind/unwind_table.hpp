// SPDX-License-Identifier: Apache-2.0
// The unwind table of one module, before it is put into the kernel: rows by page, and the rules
// that they name in a dictionary of its own. Plain values; loading maps the rules to those of the
// dictionary that all modules share.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "callscope/abi/unwind.h"

namespace callscope {

struct UnwindPage {
  std::uint64_t start = 0;  // ELF virtual address, a multiple of CS_UNWIND_PAGE_SIZE
  std::uint32_t first = 0;  // into UnwindTable::rows
  std::uint32_t count = 0;  // at least 1

  bool operator==(const UnwindPage&) const = default;
};

struct UnwindTable {
  std::vector<UnwindPage> pages;  // by start; every page that executable code lies in
  std::vector<cs_unwind_row> rows;
  std::vector<cs_unwind_rule> rules;  // none twice
  // Rows that cannot be represented, by enum cs_unwind_invalid.
  std::array<std::uint32_t, CS_UNWIND_INVALID_REASONS> invalid_rows{};
};

}  // namespace callscope
