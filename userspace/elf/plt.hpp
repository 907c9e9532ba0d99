// SPDX-License-Identifier: Apache-2.0
// The stubs of the procedure linkage table (x86-64): small jumps through the GOT that no symbol
// table names. Each stub is named by the relocation of the GOT slot that it jumps through, so the
// order and kind of table (.plt, .plt.sec, .plt.got) do not matter. Pure function, thread-safe;
// nothing fails, other machines have no stubs. Names point into the image's bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "elf/elf_image.hpp"

namespace callscope {

struct PltStub {
  std::uint64_t vaddr = 0;
  std::uint64_t size = 0;
  std::string_view target;  // name of the function it leads to
};

// By section, then by address.
std::vector<PltStub> plt_stubs(const ElfImage& image);

}  // namespace callscope
