// SPDX-License-Identifier: Apache-2.0
// The file system as one process sees it. TargetRoot holds a descriptor of the root directory, so
// files stay reachable after the process has ended. Symbolic links are followed inside that root
// only, and nothing but regular files is opened: a FIFO planted by the target cannot block us.
// Const members are thread-safe. Opening fails when the process is gone or not ours to see.
#pragma once

#include <cstdint>
#include <string>

#include "callscope/error.hpp"
#include "sys/fd.hpp"
#include "sys/mapped_file.hpp"

namespace callscope {

class TargetRoot {
 public:
  // The root of a process: /proc/PID/root.
  static Result<TargetRoot> of_process(std::int32_t pid);
  // Our own.
  static Result<TargetRoot> host();
  // Any directory, as the root of an image or a sysroot.
  static Result<TargetRoot> at(const std::string& dir);

  // path is absolute as seen from the root. kNotFound, kNotPermitted, kUsage (not a regular file).
  [[nodiscard]] Result<Fd> open_file(const std::string& path) const;
  [[nodiscard]] Result<MappedFile> map_file(const std::string& path) const;
  // Whether both are the same directory.
  [[nodiscard]] bool same_as(const TargetRoot& other) const;

 private:
  explicit TargetRoot(Fd dir) : dir_(std::move(dir)) {}

  Fd dir_;
};

}  // namespace callscope
