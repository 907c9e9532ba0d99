// SPDX-License-Identifier: Apache-2.0
// Owns the offcpu BPF object, which counts waits by stack. It watches the targets of a cpu object
// and sends its stacks through the ring of that; the maps of both live as long as either. One
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "callscope/abi/off_cpu.h"
#include "callscope/error.hpp"

struct bpf_object;
struct offcpu_bpf;

namespace callscope {

class OffCpuProgram {
 public:
  struct Options {
    bool python = false;               // as the cpu object has it
    std::uint32_t max_stacks = 65536;  // distinct (stack, thread) pairs
  };

  // Nothing is counted before enable(). before: the program whose numbers this one continues, or
  // null.
  static Result<OffCpuProgram> start(const Options& options, const bpf_object* cpu,
                                     const OffCpuProgram* before);
  OffCpuProgram(OffCpuProgram&&) noexcept;
  OffCpuProgram& operator=(OffCpuProgram&&) noexcept;
  ~OffCpuProgram();

  void enable();
  void stop();  // no wait begins or ends after it returns

  struct Counted {
    cs_stack_key key;
    cs_wait_time time;
  };
  // Waits that are over, and what those that are not have taken until now_ns (CLOCK_MONOTONIC): a
  // key may be there several times.
  [[nodiscard]] Result<std::vector<Counted>> times(std::uint64_t now_ns) const;

 private:
  struct SkeletonDeleter {
    void operator()(offcpu_bpf* skeleton) const;
  };
  OffCpuProgram() = default;

  std::unique_ptr<offcpu_bpf, SkeletonDeleter> skeleton_;
};

}  // namespace callscope
