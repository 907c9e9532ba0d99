// SPDX-License-Identifier: Apache-2.0
#include "collect/call_tracer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "callscope/abi/call_cookie.h"
#include "collect/loader_hooks.hpp"
#include "sys/clock.hpp"
#include "target/process.hpp"

namespace callscope {

CallsCollector::Options CallTracer::collector_options(std::int32_t pid, const Options& options,
                                                      std::size_t functions) {
  return {.pid = pid,
          .functions = static_cast<std::uint32_t>(functions),
          .mechanism = options.mechanism,
          .by_thread = options.by_thread,
          .budget_percent = options.budget_percent,
          .follow_children = options.follow_children,
          .log_slow_calls = !options.slow_patterns.empty(),
          .calibrate = options.calibrate,
          .unwind = options.unwind};
}

Result<std::unique_ptr<CallTracer>> CallTracer::start(std::int32_t pid, const Options& options,
                                                      Recording& recording, Symbolizer& symbolizer,
                                                      SlowHandler on_slow) {
  Result<FoundFunctions> found = find_probed_functions(pid, symbolizer, options.patterns);
  if (!found && options.await_libraries &&
      std::ranges::any_of(options.patterns, &FunctionPattern::names_library)) {
    recording.notes.push_back(found.error().what +
                              "; libraries that are loaded later are looked at");
    found = FoundFunctions{};
  }
  if (!found) return std::unexpected(found.error());
  Result<std::unique_ptr<CallsCollector>> calls =
      CallsCollector::load(collector_options(pid, options, found->functions.size()), recording);
  if (!calls) return std::unexpected(calls.error());
  Result<std::unique_ptr<CallTracer>> self =
      start(pid, options, recording, symbolizer, std::move(on_slow), std::move(*calls));
  if (!self) return self;
  CS_TRY((*self)->add_functions(std::move(*found)));
  (*self)->calls_->finish_calibration();
  return self;
}

Result<std::unique_ptr<CallTracer>> CallTracer::start(std::int32_t pid, const Options& options,
                                                      Recording& recording, Symbolizer& symbolizer,
                                                      SlowHandler on_slow,
                                                      std::unique_ptr<CallsCollector> calls) {
  std::unique_ptr<CallTracer> self(new CallTracer(options, recording, symbolizer));
  self->calls_ = std::move(calls);
  CallTracer* const raw = self.get();  // the collector is a member: its handlers die with it
  CallsProgram::Handlers handlers;
  handlers.slow = std::move(on_slow);
  handlers.process = [raw](const cs_process_record& record) {
    raw->process_records_.push_back(record);
  };
  handlers.event = [raw](const cs_call_event& event) {
    if (event.kind == CS_CALL_RECORD_LOADER) {
      raw->changed_.insert(static_cast<std::int32_t>(event.tgid));
      if (!std::exchange(raw->expected_, false)) ++raw->announced_;
    }
    if (event.kind == CS_CALL_RECORD_HOT) raw->hot_ = true;
  };
  self->calls_->begin(std::move(handlers));
  Traced& traced = self->processes_[pid];
  self->executables_.insert(recording.target.exe);
  CS_TRY(self->judge(pid, traced));
  CS_TRY(self->attach_hooks(pid, traced));
  self->changed_.insert(pid);  // before the hooks stood it may have loaded more
  return self;
}

double CallTracer::seconds() const {
  return begin_ns_ == 0 ? 0 : static_cast<double>(monotonic_ns() - begin_ns_) / 1e9;
}

void CallTracer::note(std::string text) {
  if (std::ranges::find(recording_.notes, text) == recording_.notes.end())
    recording_.notes.push_back(std::move(text));
}

// Its name and its executable as they are now: another one after an exec.
void CallTracer::describe(std::int32_t pid) {
  Result<Process> process = Process::open(pid);
  if (!process) return;
  const Result<Target> target = process->describe();
  if (!target) return;
  executables_.insert(target->exe);
  for (ProcessInfo& info : recording_.processes)
    if (info.pid == pid) info.comm = target->comm;
}

Result<void> CallTracer::judge(std::int32_t pid, Traced& traced) {
  Result<SafetyFacts> facts = inspect_target(pid);
  if (!facts) return std::unexpected(facts.error());
  traced.facts = std::move(*facts);
  // What was mapped since the symbolizer looked is news still.
  traced.searched.clear();
  if (const ProcessMaps* const maps = symbolizer_.process(pid))
    for (const CodeMapping& code : maps->mappings()) traced.searched.push_back(code.mapping.path);
  const bool can_hold = calls_->mechanism() == ProbeMechanism::kSession;
  Result<ExitPolicy> policy = choose_exit_policy(traced.facts, recording_.host.kernel, can_hold);
  if (options_.exit_mode)
    policy = with_exit_mode(std::move(*policy), *options_.exit_mode, options_.unsafe);
  if (!policy) return std::unexpected(policy.error());
  traced.policy = std::move(*policy);
  return {};
}

Result<void> CallTracer::attach_hooks(std::int32_t pid, Traced& traced) {
  // Old kernels: each probe costs 0.25 s to take away, and nothing can be held back there anyway.
  if (calls_->mechanism() == ProbeMechanism::kPerfEvent) {
    if (!traced.facts.unwinders.empty())
      note(
          "calls that an exception leaves count as unwound, not as threw: with perf-event uprobes "
          "nobody watches for exceptions");
    return {};
  }
  LoaderHooks hooks = find_loader_hooks(pid, symbolizer_);
  traced.hooked = hooks.loader;
  CS_TRY(calls_->program().links().attach(pid, std::move(hooks.probes)));
  const bool unwatched = !hooks.loader && !traced.facts.loaders.empty();
  if (unwatched && traced.policy.best == ExitMode::kUretprobe && !traced.policy.forced) {
    traced.policy.best = ExitMode::kRetSite;
    traced.policy.reason = fmt::format(
        "calls end at probed ret instructions: {} may load an unwinder, and the loader cannot be "
        "watched",
        file_name(traced.facts.loaders.front()));
  }
  return {};
}

std::optional<FileLock> CallTracer::look_at_foreign_probes() {
  // One callscope attaches at a time: of two that come at once, the second sees the first.
  constexpr const char* kLock = "/run/callscope.lock";
  constexpr std::uint64_t kPatienceNs = 5'000'000'000;
  std::optional<FileLock> alone;
  if (Result<FileLock> lock = FileLock::take(kLock, kPatienceNs))
    alone.emplace(std::move(*lock));
  else
    note("other recordings that start now may meddle: " + lock.error().message());
  std::set<std::int32_t> pids;
  for (const auto& [pid, traced] : processes_) pids.insert(pid);
  foreign_ = ForeignProbes::find(calls_->program().program_ids(), pids);
  return alone;
}

ProbePlan CallTracer::plan(const FoundFunctions& found, const ExitPolicy& policy) {
  const PlanContext context{policy, options_.slow_patterns, &foreign_};
  return plan_probes(found, context, symbolizer_, calls_->registry());
}

Result<void> CallTracer::attach_functions(std::int32_t pid, Traced& traced, FoundFunctions found) {
  if (found.functions.empty()) return {};
  if (processes_.size() > 1) CS_TRY(keep_to_exit_sites());
  const std::optional<FileLock> alone = look_at_foreign_probes();
  ProbePlan plan = this->plan(found, traced.policy);
  for (const Probe& probe : plan.probes.return_probed)
    traced.returning.insert(cs_cookie_func(probe.cookie));
  for (const PlannedFunction& function : plan.functions) traced.attached.insert(function.id);
  traced.found.push_back(std::move(found));
  const std::vector<std::uint32_t> added = plan.added;
  CS_TRY(calls_->attach(pid, std::move(plan)));
  if (begin_ns_ == 0) return {};
  for (const std::uint32_t func : added)
    if (FunctionStats* const stats = calls_->registry().stats(func))
      stats->attached_ns = monotonic_ns() - begin_ns_;
  return {};
}

// A process that counts from now on.
void CallTracer::begin(std::int32_t pid, Traced& traced) {
  ProcessInfo info;
  info.pid = pid;
  info.parent_pid = traced.parent;
  info.since_ns = begin_ns_ == 0 ? 0 : monotonic_ns() - begin_ns_;
  info.timed = true;
  recording_.processes.push_back(std::move(info));
  describe(pid);
}

Result<void> CallTracer::add_process(std::int32_t pid) {
  Traced& traced = processes_[pid];
  CS_TRY(judge(pid, traced));
  CS_TRY(attach_hooks(pid, traced));
  Result<FoundFunctions> found = find_probed_functions(pid, symbolizer_, options_.patterns);
  if (!found) return std::unexpected(found.error());
  CS_TRY(attach_functions(pid, traced, std::move(*found)));
  begin(pid, traced);
  return calls_->program().add_target(static_cast<std::uint32_t>(pid));
}

Result<void> CallTracer::add_functions(FoundFunctions found) {
  const auto first = processes_.find(recording_.target.pid);
  if (first == processes_.end()) return {};  // it has ended
  return attach_functions(first->first, first->second, std::move(found));
}

void CallTracer::expect_announcement() {
  const auto first = processes_.find(recording_.target.pid);
  if (first == processes_.end() || !first->second.hooked) return;  // nobody would announce it
  expected_ = true;
  announced_ = 1;
  calls_->program().judged(announced_);
}

void CallTracer::enable(std::uint64_t begin_ns) {
  begin_ns_ = begin_ns;
  calls_->enable(begin_ns);
}

Result<void> CallTracer::stop() { return calls_->stop(); }

Result<void> CallTracer::drain() {
  calls_->program().drain();
  Result<void> first;
  const auto keep = [&](const Result<void>& result) {
    if (first && !result) first = result;
  };
  for (const cs_process_record& record : std::exchange(process_records_, {})) keep(handle(record));
  for (const std::int32_t pid : std::exchange(changed_, {})) {
    const auto tgid = static_cast<std::uint32_t>(pid);
    const std::uint32_t change = calls_->program().held_since(tgid);
    keep(on_code_change(pid));
    calls_->program().release(tgid, change);
  }
  calls_->program().judged(announced_);
  if (std::exchange(hot_, false)) keep(calls_->keep_budget(monotonic_ns()));
  return first;
}

}  // namespace callscope
