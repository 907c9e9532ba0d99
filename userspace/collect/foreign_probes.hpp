// SPDX-License-Identifier: Apache-2.0
// Where other programs on this machine (or other recordings) have uprobes for one process each. On
// the same instruction two such probes meddle: a return probe of ours would be armed in the other's
// process, and one of theirs in ours (bpf/uprobe_links.hpp). A look at one moment; immutable.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace callscope {

struct ForeignProbe {
  std::int32_t pid = 0;  // whom it is for
  bool returns = false;
};

class ForeignProbes {
 public:
  using ByOffset = std::map<std::uint64_t, ForeignProbe>;  // file offset

  // own_programs: ids of those whose links are ours. Probes for one of own_pids that time spans of
  // callscope or watch its Python are taken for ours as well.
  static ForeignProbes find(const std::set<std::uint32_t>& own_programs,
                            const std::set<std::int32_t>& own_pids);

  // Of the file that the path leads to; nullptr: none.
  [[nodiscard]] const ByOffset* in_file(const std::string& path) const;

 private:
  using FileId = std::pair<std::uint64_t, std::uint64_t>;  // device, inode

  std::map<FileId, ByOffset> files_;
};

}  // namespace callscope
