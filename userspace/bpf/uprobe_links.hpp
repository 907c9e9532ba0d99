// SPDX-License-Identifier: Apache-2.0
// The uprobe_multi links that exist on this machine, whoever made them (BPF_LINK_GET_NEXT_ID).
// Those bound to one process matter to every other: on an instruction that two links probe, the
// kernel arms the return probe of the one also in the process of the other (its filter answers for
// the program, and says "go on"). Measured on 6.18.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace callscope {

struct UprobeLink {
  std::uint32_t id = 0;
  std::string path;      // of the probed file, as the kernel names it
  std::int32_t pid = 0;  // the only process that gets its breakpoints; 0: all
  std::uint32_t program_id = 0;
  std::string program;   // name of the BPF program, cut to 15 characters by the kernel
  bool returns = false;  // return probes, or sessions of callscope; those of others cannot be told
  std::vector<std::uint64_t> offsets;  // in the file
};

// Links that go away meanwhile are left out. Empty also where the kernel has no such links or does
// not tell (before 6.8).
std::vector<UprobeLink> list_uprobe_links();

}  // namespace callscope
