// SPDX-License-Identifier: Apache-2.0
// Owns the cpu BPF object: sampling events on every CPU, the ring of new stacks and process events,
// the stack counts; and the offcpu and memory objects, which live by it. Members are destroyed in
// the order links, ring, skeleton. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "bpf/memory_program.hpp"
#include "bpf/off_cpu_program.hpp"
#include "bpf/perf_links.hpp"
#include "bpf/python_watch.hpp"
#include "bpf/unwind_maps.hpp"
#include "callscope/abi/cpu.h"
#include "callscope/abi/process.h"
#include "callscope/abi/python.h"
#include "callscope/abi/stats.h"
#include "callscope/error.hpp"
#include "sys/fd.hpp"
#include "sys/perf_event.hpp"

struct cpu_bpf;
struct ring_buffer;

namespace callscope {

class CpuProgram {
 public:
  struct Options {
    std::uint32_t tgid = 0;
    std::uint64_t sample_hz = 99;  // 0: no samples
    SampleClock clock = SampleClock::kCpuClock;
    bool follow_children = true;
    bool log_samples = false;
    bool off_cpu = false;                 // waits too
    bool page_faults = false;             // these too
    bool python = false;                  // there is a process with Python frames from the start
    std::uint32_t max_stacks = 65536;     // distinct (stack, thread) pairs
    std::uint32_t ring_bytes = 4U << 20;  // power of two, at least a page
  };
  // Both views are valid during the call only.
  struct Handlers {
    std::function<void(const cs_stack_record&)> stack;  // of samples, waits and faults, by its kind
    std::function<void(const cs_process_record&)> process;
    std::function<void(const cs_sample_record&)> sample = {};  // with log_samples
    std::function<void(const cs_missed_record&)> missed = {};
    std::function<void(const cs_python_code_record&)> python_code = {};
    std::function<void(const cs_python_stack_record&)> python_stack = {};
  };

  // unwind must outlive nothing: the kernel keeps the maps for the program.
  static Result<CpuProgram> load(const Options& options, const UnwindMaps& unwind,
                                 Handlers handlers);
  CpuProgram(CpuProgram&&) noexcept;
  CpuProgram& operator=(CpuProgram&&) noexcept;
  ~CpuProgram();

  Result<void> attach();
  Result<void> add_target(std::uint32_t tgid);
  // From now on the stacks of the process have a Python half. The first time this takes a moment,
  // half a second, without Options::python. kUnsupported: too many processes have one.
  Result<void> set_python(std::uint32_t tgid, const cs_python_process& process);
  // Of such a process: its code objects are read once, as far as the kernel can do that
  // (bpf/python_watch.hpp). destructor: what frees them.
  void watch_python(std::int32_t pid, const Probe& destructor);
  void unwatch_python(std::int32_t pid);  // it ended, or executes another program
  void review_python();                   // PythonWatch::review
  void enable();
  void stop();  // no sample is taken after it returns

  [[nodiscard]] int ring_fd() const;  // readable (epoll) when records wait
  void drain();                       // calls the handlers for all waiting records

  struct Counted {
    cs_stack_key key;
    std::uint64_t count;
  };
  [[nodiscard]] Result<std::vector<Counted>> counts() const;
  // Of waits, with Options::off_cpu; up to now_ns (CLOCK_MONOTONIC).
  [[nodiscard]] Result<std::vector<OffCpuProgram::Counted>> off_cpu_times(
      std::uint64_t now_ns) const;
  // With Options::page_faults.
  [[nodiscard]] Result<std::vector<Counted>> page_faults() const;
  [[nodiscard]] std::uint64_t counter(cs_stat reason) const;

 private:
  struct SkeletonDeleter {
    void operator()(cpu_bpf* skeleton) const;
  };
  struct RingDeleter {
    void operator()(ring_buffer* ring) const;
  };
  using Skeleton = std::unique_ptr<cpu_bpf, SkeletonDeleter>;
  CpuProgram() = default;
  [[nodiscard]] Result<Skeleton> open(bool python) const;
  [[nodiscard]] Result<PerfLinks> attach(cpu_bpf& programs) const;
  // The objects that live by this one, as far as the options ask for them.
  Result<void> start_others(bool enabled);
  Result<void> start_python();
  [[nodiscard]] cpu_bpf& running() const { return python_ ? *python_ : *skeleton_; }

  Options options_;
  std::unique_ptr<Handlers> handlers_;  // the ring keeps its address
  Skeleton skeleton_;                   // its maps serve always
  Skeleton python_;  // its programs run instead, once there was need; maps of Python are its own
  std::unique_ptr<PythonWatch> python_watch_;  // of the running programs
  std::optional<OffCpuProgram> off_cpu_;
  std::optional<MemoryProgram> memory_;
  std::unique_ptr<ring_buffer, RingDeleter> ring_;
  PerfLinks links_;
};

}  // namespace callscope
