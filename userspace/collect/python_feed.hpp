// SPDX-License-Identifier: Apache-2.0
// Which target processes run CPython, and where their interpreters keep their frames: tells the
// walker of Python frames. Looks at a module once, whichever processes map it. One thread; the
// Recording, the Symbolizer and the CpuProgram must outlive it. A process without an interpreter,
// or with one that is not known, is no error.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "bpf/cpu_program.hpp"
#include "callscope/recording.hpp"
#include "python/interpreter.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

// By the names of what the process has mapped. Its executable may embed an interpreter all the
// same.
bool may_run_python(std::int32_t pid, const Symbolizer& symbolizer);

class PythonFeed {
 public:
  PythonFeed(Recording& recording, const Symbolizer& symbolizer, CpuProgram& program)
      : recording_(recording), symbolizer_(symbolizer), program_(program) {}

  // Looks for an interpreter in what the symbolizer knows of the process; cheap when it has been
  // found or nothing was mapped since.
  void look(std::int32_t pid);
  // BPF has copied or forgotten what it knows already.
  void forked(std::int32_t child, std::int32_t parent);
  void forget(std::int32_t pid);  // it executes another program, or ended
  // To call once a second: has the code objects of forked children that live on watched, too, and
  // those of others no more.
  void review_watches();

  // Whether the address is in the evaluation loop of the process.
  [[nodiscard]] bool is_loop(std::int32_t pid, std::uint64_t addr) const;
  [[nodiscard]] bool found_any() const { return !processes_.empty() || found_; }

 private:
  struct Known {
    cs_python_process process{};
    std::optional<Probe> destructor;  // of code objects
    bool watched = false;
  };
  void watch(std::int32_t pid, Known& known);
  const std::optional<PythonInterpreter>& examine(CachedModule& module, bool executable);
  void note_unknown(const CachedModule& module, const PythonInterpreter& interpreter);

  Recording& recording_;
  const Symbolizer& symbolizer_;
  CpuProgram& program_;
  bool found_ = false;
  std::map<const CachedModule*, std::optional<PythonInterpreter>> modules_;
  std::map<std::int32_t, Known> processes_;
  std::set<const CachedModule*> noted_;
};

}  // namespace callscope
