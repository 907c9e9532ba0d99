// SPDX-License-Identifier: Apache-2.0
#include "collect/foreign_probes.hpp"

#include <sys/stat.h>

#include "bpf/uprobe_links.hpp"

namespace callscope {

ForeignProbes ForeignProbes::find(const std::set<std::uint32_t>& own_programs,
                                  const std::set<std::int32_t>& own_pids) {
  ForeignProbes found;
  for (const UprobeLink& link : list_uprobe_links()) {
    struct stat info{};
    const bool harmless =
        link.program.starts_with("cs_span") || link.program.starts_with("cs_python");
    if (harmless && own_pids.contains(link.pid)) continue;
    if (own_programs.contains(link.program_id)) continue;
    // Probes for all processes do what they do with or without ours.
    if (link.pid == 0 || ::stat(link.path.c_str(), &info) != 0) continue;
    ByOffset& file = found.files_[{info.st_dev, info.st_ino}];
    for (const std::uint64_t offset : link.offsets) {
      ForeignProbe& probe = file[offset];
      probe = {link.pid, probe.returns || link.returns};
    }
  }
  return found;
}

const ForeignProbes::ByOffset* ForeignProbes::in_file(const std::string& path) const {
  if (files_.empty()) return nullptr;
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return nullptr;
  const auto file = files_.find({info.st_dev, info.st_ino});
  return file == files_.end() ? nullptr : &file->second;
}

}  // namespace callscope
