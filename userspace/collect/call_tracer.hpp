// SPDX-License-Identifier: Apache-2.0
// Which processes are probed, and how: decides what is safe in each, attaches what the patterns ask
// for, and keeps both true while libraries come and go, programs are executed and children are
// forked. Answers the records of the calls BPF program. One thread; the Recording and the
// Symbolizer must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "callscope/recording.hpp"
#include "collect/calls_collector.hpp"
#include "collect/exit_policy.hpp"
#include "collect/foreign_probes.hpp"
#include "probes/pattern.hpp"
#include "symbols/symbolizer.hpp"
#include "sys/file_lock.hpp"
#include "target/safety.hpp"

namespace callscope {

class CallTracer {
 public:
  struct Options {
    std::vector<FunctionPattern> patterns;    // may be empty: functions are added later
    std::optional<ProbeMechanism> mechanism;  // nothing: the best one that works
    std::optional<ExitMode> exit_mode;        // nothing: the best that is safe
    bool unsafe = false;                      // exit_mode may be less safe than that
    bool follow_children = true;
    bool by_thread = false;
    double budget_percent = 0;
    bool calibrate = true;
    bool await_libraries = false;  // patterns that name a library which is not there are no error
    std::vector<FunctionPattern> slow_patterns;  // functions whose slow calls are logged
    const UnwindMaps* unwind = nullptr;          // as CallsProgram::Options
  };
  using SlowHandler = std::function<void(const cs_slow_record&)>;

  // How a collector for start() is to be loaded; functions: how many are known.
  static CallsCollector::Options collector_options(std::int32_t pid, const Options& options,
                                                   std::size_t functions);

  // Loads, judges the process and attaches; nothing counts before enable(). The symbolizer must
  // have been refreshed for pid. kUsage when the patterns match nothing.
  static Result<std::unique_ptr<CallTracer>> start(std::int32_t pid, const Options& options,
                                                   Recording& recording, Symbolizer& symbolizer,
                                                   SlowHandler on_slow);
  // The same with a collector that was loaded before, and without functions: add_functions() adds
  // some.
  static Result<std::unique_ptr<CallTracer>> start(std::int32_t pid, const Options& options,
                                                   Recording& recording, Symbolizer& symbolizer,
                                                   SlowHandler on_slow,
                                                   std::unique_ptr<CallsCollector> calls);

  // One more process that the user asked for.
  Result<void> add_process(std::int32_t pid);
  // Probes these functions in the first process, beside those of the patterns.
  Result<void> add_functions(FoundFunctions found);

  // The first process stands where its loader announces what is mapped now: nothing new.
  void expect_announcement();
  void enable(std::uint64_t begin_ns);
  Result<void> stop();

  [[nodiscard]] int ring_fd() const { return calls_->program().ring_fd(); }
  // Answers all records that wait.
  Result<void> drain();
  // Keeps the budget, and the children safe; to call every 100 ms.
  Result<void> housekeep(std::uint64_t now_ns);

  // Paths of the executables of all processes that were probed.
  [[nodiscard]] const std::set<std::string>& executables() const { return executables_; }
  [[nodiscard]] CallsCollector& calls() { return *calls_; }
  [[nodiscard]] const CallsCollector& calls() const { return *calls_; }

 private:
  struct Traced {
    std::int32_t parent = 0;      // of a followed child
    std::uint64_t forked_ns = 0;  // a child that has executed nothing since; else 0
    SafetyFacts facts;
    std::vector<std::string> searched;  // modules, by path: where functions were looked for
    ExitPolicy policy;
    bool hooked = false;                // its loader announces changes
    std::vector<FoundFunctions> found;  // what is attached, to plan it anew
    std::set<std::uint32_t> attached;   // functions
    std::set<std::uint32_t> returning;  // of these, with return probes
  };

  CallTracer(const Options& options, Recording& recording, Symbolizer& symbolizer)
      : options_(options), recording_(recording), symbolizer_(symbolizer) {}
  // Nobody else attaches from the look at others' probes until ours are there, if all can help it.
  [[nodiscard]] std::optional<FileLock> look_at_foreign_probes();
  Result<void> judge(std::int32_t pid, Traced& traced);
  Result<void> attach_hooks(std::int32_t pid, Traced& traced);
  ProbePlan plan(const FoundFunctions& found, const ExitPolicy& policy);
  Result<void> attach_functions(std::int32_t pid, Traced& traced, FoundFunctions found);
  void begin(std::int32_t pid, Traced& traced);
  Result<void> keep_to_exit_sites();
  Result<void> end_return_probes(std::int32_t pid, Traced& traced, const std::string& why);
  Result<void> on_code_change(std::int32_t pid);
  Result<void> attach_new_functions(std::int32_t pid, Traced& traced);
  Result<void> on_fork(std::int32_t child, std::int32_t parent);
  Result<void> handle(const cs_process_record& record);
  void describe(std::int32_t pid);
  void note(std::string text);
  [[nodiscard]] double seconds() const;

  Options options_;
  Recording& recording_;
  Symbolizer& symbolizer_;
  ForeignProbes foreign_;  // when we attached last
  std::unique_ptr<CallsCollector> calls_;
  std::map<std::int32_t, Traced> processes_;
  std::set<std::string> executables_;
  std::uint64_t begin_ns_ = 0;
  // Records that wait for their answer: answering while the ring is read would read it again.
  std::vector<cs_process_record> process_records_;
  std::set<std::int32_t> changed_;  // processes whose code changed
  std::uint32_t announced_ = 0;     // such changes seen
  bool expected_ = false;           // the next announcement says nothing new
  bool overdue_ = false;            // some were counted whose record did not come
  bool hot_ = false;                // a function bursts its budget
};

}  // namespace callscope
