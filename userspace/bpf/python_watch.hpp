// SPDX-License-Identifier: Apache-2.0
// Lets the walker of Python frames trust what it has read of a process's code objects: a probe
// where the interpreter frees one tells it when another may lie there. A probe on a function's
// entry, which touches no stack. Where the kernel cannot do it for a whole process, found by
// trying, code objects are read in every walk as without this. One thread; the program and the map
// must outlive it. Destroying it waits until the probes are gone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "bpf/link_reaper.hpp"
#include "bpf/uprobe_set.hpp"

struct bpf_map;
struct bpf_program;

namespace callscope {

class PythonWatch {
 public:
  // program: cs_python_freed, loaded for uprobe_multi; processes: cs_python_processes.
  PythonWatch(bpf_program* program, const bpf_map* processes)
      : program_(program), processes_(processes) {}

  // destructor: the first instruction of what frees code objects. The process is in the map.
  void begin(std::int32_t pid, const Probe& destructor);
  // It ended, or executes another program.
  void end(std::int32_t pid);
  // Of all; returns at once.
  void end_all();
  // To call once a second. Gives those up that free so many that the probe would be felt.
  void review();

 private:
  struct Watched {
    UprobeSet probes;
    std::uint64_t generation = 0;  // at the last review
  };
  [[nodiscard]] bool set_watched(std::int32_t pid, bool watched, std::uint64_t generation) const;
  [[nodiscard]] std::optional<UprobeSet> attach(std::int32_t pid, const Probe& probe) const;
  [[nodiscard]] bool counts_all_threads();

  bpf_program* program_;
  const bpf_map* processes_;
  std::optional<bool> works_;
  std::uint64_t next_generation_ = 1;
  std::map<std::int32_t, Watched> watched_;
  LinkReaper reaper_;
};

}  // namespace callscope
