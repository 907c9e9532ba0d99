// SPDX-License-Identifier: Apache-2.0
// CPU samples, waits and page faults: owns the cpu BPF program, turns its stack records into frames
// and stacks of a Recording and keeps the counts and times. Records wait in the ring until drain().
// One thread; the Recording, the Symbolizer, the StackTable and the UnwindThread must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "bpf/cpu_program.hpp"
#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "collect/fault_counts.hpp"
#include "collect/python_feed.hpp"
#include "collect/python_frames.hpp"
#include "collect/python_samples.hpp"
#include "collect/stack_rows.hpp"
#include "collect/stack_table.hpp"
#include "collect/unwind_thread.hpp"
#include "collect/wait_times.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

class CpuCollector {
 public:
  // Has the symbolizer know what a process has mapped by now, or had when it ended.
  using CatchUp = std::function<void(std::int32_t pid)>;

  // Loads and attaches; no sample counts before enable(). catch_up is called by drain(), for code
  // that has no name yet. python: show its functions.
  static Result<std::unique_ptr<CpuCollector>> start(const CpuProgram::Options& options,
                                                     Recording& recording, Symbolizer& symbolizer,
                                                     StackTable& stacks, UnwindThread& unwind,
                                                     CatchUp catch_up, bool python = true);

  // Shows Python functions of the process, if it runs any. To be called again when it has mapped
  // new code, which the symbolizer knows.
  void look_for_python(std::int32_t pid);
  void review_python_watches();  // PythonFeed::review_watches
  void enable() { program_->enable(); }
  void stop();
  [[nodiscard]] int ring_fd() const { return program_->ring_fd(); }
  void drain() { program_->drain(); }
  Result<void> add_target(std::int32_t pid) {
    return program_->add_target(static_cast<std::uint32_t>(pid));
  }
  // Marks the samples that the thread gave in this time (CLOCK_MONOTONIC) as taken in slow calls.
  // Needs Options::log_samples and all records drained.
  void mark_slow(std::int32_t tid, std::uint64_t from_ns, std::uint64_t to_ns);

  // Copies the counts into Recording::cpu and Recording::faults, and the waits up to now_ns
  // (CLOCK_MONOTONIC) into Recording::waits.
  Result<void> update(std::uint64_t now_ns);
  void add_quality(std::vector<QualityItem>& quality) const;
  [[nodiscard]] std::uint64_t samples() const { return program_->counter(CS_STAT_SAMPLES); }

 private:
  CpuCollector(Recording& recording, Symbolizer& symbolizer, StackTable& stacks,
               UnwindThread& unwind)
      : recording_(recording),
        symbolizer_(symbolizer),
        stacks_(stacks),
        unwind_(unwind),
        waits_(recording),
        faults_(recording),
        python_frames_(recording, symbolizer) {}
  void on_stack(const cs_stack_record& record);
  Result<void> update_samples();
  void on_process(const cs_process_record& record);
  void on_sample(const cs_sample_record& record);
  [[nodiscard]] bool knows(const cs_stack_record& record) const;
  void add_row(const cs_stack_record& record, std::uint32_t stack);
  [[nodiscard]] bool knows_code_of(const cs_stack_record& record) const;
  std::uint32_t intern_stack(const cs_stack_record& record);
  void add_kernel_frames(const cs_stack_record& record, std::vector<std::uint32_t>& frames);
  // Appends the user half of the stack; how it ends.
  StackEnd add_user_frames(const cs_stack_record& record, std::vector<std::uint32_t>& frames);
  std::optional<MixedStack> mix_python(const cs_stack_record& record);

  Recording& recording_;
  Symbolizer& symbolizer_;
  StackTable& stacks_;
  UnwindThread& unwind_;
  CatchUp catch_up_;
  std::uint64_t lost_frames_samples_ = 0;  // samples whose frames were never received
  StackRows rows_;                         // into Recording::cpu
  WaitTimes waits_;
  FaultCounts faults_;
  struct TimedSample {
    std::uint64_t t_ns = 0;
    std::size_t row = 0;
    bool slow = false;
  };
  std::unordered_map<std::int32_t, std::vector<TimedSample>> samples_;  // by thread, in time order
  std::size_t samples_kept_ = 0;
  std::uint64_t samples_dropped_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> threads_;  // (pid, tid) into Recording::threads
  std::unique_ptr<CpuProgram> program_;
  std::unique_ptr<PythonFeed> python_;  // once a process was looked at; refers to the program
  PythonFrames python_frames_;
  PythonSamples python_samples_;
};

}  // namespace callscope
