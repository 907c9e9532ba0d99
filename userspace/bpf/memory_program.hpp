// SPDX-License-Identifier: Apache-2.0
// Owns the memory BPF object, which counts page faults by stack. As OffCpuProgram it watches the
// targets of a cpu object and sends its stacks through the ring of that. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "bpf/perf_links.hpp"
#include "callscope/abi/memory.h"
#include "callscope/error.hpp"

struct bpf_object;
struct memory_bpf;

namespace callscope {

class MemoryProgram {
 public:
  struct Options {
    bool python = false;               // as the cpu object has it
    std::uint32_t max_stacks = 65536;  // distinct (stack, thread) pairs
  };

  // Nothing is counted before enable(). before: the program whose numbers this one continues, or
  // null.
  static Result<MemoryProgram> start(const Options& options, const bpf_object* cpu,
                                     const MemoryProgram* before);
  MemoryProgram(MemoryProgram&&) noexcept;
  MemoryProgram& operator=(MemoryProgram&&) noexcept;
  ~MemoryProgram();

  void enable();
  void stop();  // nothing is counted after it returns

  // Page faults, each key once.
  [[nodiscard]] Result<std::vector<std::pair<cs_stack_key, cs_stack_count>>> counts() const;

 private:
  struct SkeletonDeleter {
    void operator()(memory_bpf* skeleton) const;
  };
  MemoryProgram() = default;

  std::unique_ptr<memory_bpf, SkeletonDeleter> skeleton_;
  PerfLinks links_;
};

}  // namespace callscope
