// SPDX-License-Identifier: Apache-2.0
// How a Recorder comes to stand: the target is described, its code read, every collector started.
#include <sys/epoll.h>

#include <cerrno>
#include <utility>

#include "callscope/time.hpp"
#include "collect/host.hpp"
#include "collect/inlined_notes.hpp"
#include "collect/recorder.hpp"

namespace callscope {

Result<std::unique_ptr<Recorder>> Recorder::create(std::int32_t pid, const RecordOptions& options) {
  Result<Process> process = Process::open(pid);
  if (!process) return std::unexpected(process.error());
  std::unique_ptr<Recorder> self(new Recorder(std::move(*process), options));
  CS_TRY(self->describe_target());
  CS_TRY(self->start_unwinding());
  // Two programs for the kernel to verify, by two threads.
  std::future<StartedCpu> cpu = self->start_cpu();
  const Result<void> calls = self->start_calls();
  CS_TRY(self->take_cpu(cpu));
  CS_TRY(calls);
  CS_TRY(self->start_spans());
  CS_TRY(self->add_processes());
  CS_TRY(self->watch_events());
  return self;
}

Result<void> Recorder::describe_target() {
  Result<Target> target = process_.describe();
  if (!target) return std::unexpected(target.error());
  recording_.target = std::move(*target);
  recording_.tool_version = options_.tool_version;
  recording_.host = describe_host();
  CS_TRY(symbolizer_.refresh(process_.pid()));
  if (CachedModule* const exe = executable_module(process_.pid(), symbolizer_))
    if (const ModuleImage* const image = exe->image())
      recording_.target.build_id = image->build_id();
  ProcessInfo info;
  info.pid = process_.pid();
  info.comm = recording_.target.comm;
  info.timed = !options_.patterns.empty();
  recording_.processes.push_back(std::move(info));
  return {};
}

Result<void> Recorder::start_unwinding() {
  Result<std::unique_ptr<UnwindFeed>> feed =
      UnwindFeed::create(options_.unwind, options_.cache_dir);
  if (!feed) return std::unexpected(feed.error());
  (*feed)->refresh(process_.pid());
  for (const std::int32_t pid : options_.more_pids) (*feed)->refresh(pid);
  if (const std::string problem = (*feed)->cache_problem(); !problem.empty())
    recording_.notes.push_back("unwind tables are not kept on disk: " + problem);
  Result<std::unique_ptr<UnwindThread>> thread =
      UnwindThread::start(std::move(*feed), options_.follow_children);
  if (!thread) return std::unexpected(thread.error());
  unwind_ = std::move(*thread);
  if (!unwind_->problem().empty())
    recording_.notes.push_back("new code is noticed late: " + unwind_->problem());
  return {};
}

std::future<Recorder::StartedCpu> Recorder::start_cpu() {
  if (options_.sample_hz == 0 && !options_.off_cpu && !options_.page_faults) return {};
  const CpuProgram::Options options{
      .tgid = static_cast<std::uint32_t>(process_.pid()),
      .sample_hz = options_.sample_hz,
      .clock = options_.clock,
      .follow_children = options_.follow_children,
      .log_samples = slow_calls_.wanted(),
      .off_cpu = options_.off_cpu,
      .page_faults = options_.page_faults,
      .python = options_.python && may_run_python(process_.pid(), symbolizer_)};
  // Only of a process that has ended nothing else can tell: the loop waits for no live one.
  const auto catch_up = [this](std::int32_t pid) {
    if (symbolizer_.refresh(pid)) return;
    unwind_->catch_up(pid);
    follow_changes();
  };
  return std::async(std::launch::async, [this, options, catch_up] {
    return CpuCollector::start(options, recording_, symbolizer_, stacks_, *unwind_, catch_up,
                               options_.python);
  });
}

Result<void> Recorder::take_cpu(std::future<StartedCpu>& started) {
  if (!started.valid()) return {};
  StartedCpu cpu = started.get();
  if (!cpu) return std::unexpected(cpu.error());
  cpu_ = std::move(*cpu);
  cpu_->look_for_python(process_.pid());
  recording_.sample_hz = static_cast<std::uint32_t>(options_.sample_hz);
  if (options_.sample_hz != 0)
    recording_.sample_event = options_.clock == SampleClock::kCycles ? "cycles" : "cpu-clock";
  recording_.off_cpu = options_.off_cpu;
  recording_.page_faults = options_.page_faults;
  return {};
}

CallTracer::Options Recorder::call_options() const {
  CallTracer::Options options{.patterns = options_.patterns,
                              .mechanism = options_.mechanism,
                              .exit_mode = options_.exit_mode,
                              .unsafe = options_.unsafe,
                              .follow_children = options_.follow_children,
                              .by_thread = options_.by_thread,
                              .budget_percent = options_.budget_percent,
                              .calibrate = options_.calibrate,
                              .await_libraries = options_.await_libraries,
                              .slow_patterns = {},
                              .unwind = &unwind_->maps()};
  for (const SlowRule& rule : options_.slow_rules) options.slow_patterns.push_back(rule.pattern);
  return options;
}

Result<void> Recorder::start_calls() {
  if (options_.patterns.empty()) {
    // Functions are chosen in a second: samples need not wait until the program for them is loaded.
    if (options_.auto_functions && options_.sample_hz != 0)
      loading_ =
          std::async(std::launch::async,
                     [options = CallTracer::collector_options(process_.pid(), call_options(), 0),
                      this] { return CallsCollector::load(options, recording_); });
    return {};
  }
  Result<std::unique_ptr<CallTracer>> calls =
      CallTracer::start(process_.pid(), call_options(), recording_, symbolizer_, slow_handler());
  if (!calls) return std::unexpected(explain_inlined(calls.error()));
  calls_ = std::move(*calls);
  inlined_.emplace(InlinedSearch::start(process_.pid(), symbolizer_, options_.patterns));
  return {};
}

CallTracer::SlowHandler Recorder::slow_handler() {
  return [this](const cs_slow_record& record) { slow_calls_.on_record(record); };
}

// A name that matches nothing may be one that was inlined everywhere.
Error Recorder::explain_inlined(Error error) {
  constexpr std::uint64_t kPatienceNs = 2 * kNsPerSecond;
  if (error.code != ErrorCode::kUsage || options_.patterns.empty()) return error;
  InlinedSearch search = InlinedSearch::start(process_.pid(), symbolizer_, options_.patterns);
  Recording told;
  apply_inlined(search.finish(kPatienceNs), told);
  for (const std::string& note : told.notes) error.what += "; " + note;
  return error;
}

Result<void> Recorder::add_processes() {
  for (const std::int32_t pid : options_.more_pids) {
    if (pid == process_.pid()) continue;
    const Result<Process> process = Process::open(pid);
    if (!process) return std::unexpected(process.error());
    CS_TRY(symbolizer_.refresh(pid));
    if (cpu_) CS_TRY(cpu_->add_target(pid));
    if (cpu_) cpu_->look_for_python(pid);
    if (calls_) CS_TRY(calls_->add_process(pid));
    if (spans_) spans_->add_process(pid);
  }
  set_slow_thresholds();
  return {};
}

Result<void> Recorder::watch_events() {
  events_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!events_.valid()) return fail(ErrorCode::kInternal, "cannot create an epoll", {}, errno);
  CS_TRY(watch(unwind_->changes_fd()));
  if (cpu_) CS_TRY(watch(cpu_->ring_fd()));
  return calls_ ? watch(calls_->ring_fd()) : Result<void>{};
}

Result<void> Recorder::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return fail(ErrorCode::kInternal, "cannot watch a ring buffer", {}, errno);
  return {};
}

}  // namespace callscope
