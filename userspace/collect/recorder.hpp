// SPDX-License-Identifier: Apache-2.0
// Records a process and those that belong to it: owns the collectors and the growing Recording. The
// caller runs the event loop: poll events_fd(), call drain() when it is readable, housekeep() every
// 100 ms and tick() about once a second, stop() at the end. One thread. Destroying it removes every
// probe from the targets.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "collect/call_tracer.hpp"
#include "collect/cpu_collector.hpp"
#include "collect/debug_info_ahead.hpp"
#include "collect/inlined_search.hpp"
#include "collect/resources.hpp"
#include "collect/slow_call_log.hpp"
#include "collect/spans_collector.hpp"
#include "collect/stack_table.hpp"
#include "collect/unwind_thread.hpp"
#include "probes/pattern.hpp"
#include "symbols/symbolizer.hpp"
#include "sys/fd.hpp"
#include "target/process.hpp"

namespace callscope {

struct RecordOptions {
  std::vector<FunctionPattern> patterns;  // empty: no function, or those of auto_functions
  bool auto_functions = false;            // without patterns: those on hot stacks, after 1 s
  SpanRequest spans;
  std::optional<ProbeMechanism> mechanism;  // nothing: the best one that works
  std::optional<ExitMode> exit_mode;        // nothing: the best that is safe; never less safe
  bool unsafe = false;                      // exit_mode may be less safe than that
  double budget_percent = 0;                // of one CPU, for all probes; 0: no limit
  bool calibrate = true;                    // else probe costs are unknown: no budget either
  bool by_thread = false;                   // a call tree for each thread
  std::vector<SlowRule> slow_rules;
  std::uint64_t sample_hz = 99;  // 0: no CPU sampling
  SampleClock clock = SampleClock::kCpuClock;
  bool off_cpu = false;      // waits by stack
  bool page_faults = false;  // these by stack
  UnwindMode unwind = UnwindMode::kAuto;
  std::string cache_dir;  // of unwind tables; empty: the default one
  bool follow_children = true;
  bool python = true;             // functions of Python in the place of its evaluation loop
  bool inlined_frames = true;     // functions inlined by the compiler are frames of stacks
  bool stands_in_loader = false;  // a launched target, at LoaderStop::kLibrariesMapped
  bool await_libraries = false;   // patterns that match nothing may mean libraries to be loaded
  std::vector<std::int32_t> more_pids;  // recorded with the first process
  std::uint64_t interval_ns = 1'000'000'000;
  std::uint64_t max_snapshots = 1000;
  std::string tool_version;
};

class Recorder {
 public:
  // Opens the target, decides what is safe, loads and attaches; nothing is counted yet.
  static Result<std::unique_ptr<Recorder>> create(std::int32_t pid, const RecordOptions& options);
  ~Recorder();

  void enable();  // the recording begins
  // Readable (poll, epoll) when records wait.
  [[nodiscard]] int events_fd() const { return events_.get(); }
  [[nodiscard]] int pidfd() const { return process_.pidfd(); }  // readable when the target ended
  Result<void> drain();
  Result<void> housekeep();
  // Brings maps, counters, resources and quality of recording() up to date.
  Result<void> tick();
  // Ends the recording and removes all probes; the target runs on.
  Result<void> stop(const std::string& ended_by);

  [[nodiscard]] const Recording& recording() const { return recording_; }
  [[nodiscard]] Recording& recording() { return recording_; }

  struct Progress {
    std::uint64_t samples = 0;
    std::uint64_t calls = 0;  // as of the last tick, like lost
    std::uint64_t lost = 0;   // all losses of the quality block
  };
  [[nodiscard]] Progress progress() const;

 private:
  Recorder(Process process, const RecordOptions& options);
  Result<void> describe_target();
  using StartedCpu = Result<std::unique_ptr<CpuCollector>>;
  // Touches nothing of ours but the options until it is taken.
  std::future<StartedCpu> start_cpu();
  Result<void> take_cpu(std::future<StartedCpu>& started);
  Result<void> start_calls();
  void set_slow_thresholds();
  Result<void> start_spans();
  void note_unseen_spans();
  Result<void> add_processes();
  [[nodiscard]] CallTracer::Options call_options() const;
  CallTracer::SlowHandler slow_handler();
  Result<void> watch_events();
  Result<void> watch(int fd);
  Result<void> choose_hot_functions();
  Error explain_inlined(Error error);
  Result<void> start_unwinding();
  void follow_changes();
  void update_calls(std::uint64_t now_ns);
  void update_quality();

  RecordOptions options_;
  Process process_;
  Recording recording_;
  Symbolizer symbolizer_;  // refers to recording_, as the next two do
  StackTable stacks_;
  SlowCallLog slow_calls_;
  std::unique_ptr<UnwindThread> unwind_;
  std::optional<ResourceCollector> resources_;
  std::unique_ptr<CpuCollector> cpu_;
  std::unique_ptr<CallTracer> calls_;
  std::optional<SpansCollector> spans_;
  std::size_t modules_with_spans_ = 0;  // mapped when their points were looked for
  Fd events_;                           // epoll over the rings
  std::optional<InlinedSearch> inlined_;
  DebugInfoAhead debug_info_;
  // What will probe the hot functions, until they are chosen.
  std::future<Result<std::unique_ptr<CallsCollector>>> loading_;
  std::uint64_t begin_ns_ = 0;
  std::uint64_t calls_updated_ns_ = 0;  // from then on
};

}  // namespace callscope
