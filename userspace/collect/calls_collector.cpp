// SPDX-License-Identifier: Apache-2.0
#include "collect/calls_collector.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "callscope/abi/call_cookie.h"
#include "collect/list_note.hpp"
#include "probes/probe_cost.hpp"

namespace callscope {
namespace {

// One perf event a probe takes 0.25 s to detach, and slows every call of the others.
constexpr std::size_t kMaxPerfEventProbes = 100;
// Room for functions of libraries and programs that come later.
constexpr std::uint32_t kSpareFunctions = 1024;
constexpr std::uint32_t kMaxTailCallees = 4096;  // at most one for each function
constexpr std::uint32_t kMaxContexts = 16384;
constexpr std::uint32_t kSlowRingBytes = 4U << 20;

}  // namespace

CallsCollector::CallsCollector(LoadedCalls loaded, const Options& options, Recording& recording)
    : options_(options),
      recording_(recording),
      registry_(recording.functions),
      mechanism_note_(std::move(loaded.note)),
      program_(std::move(loaded.program)),
      budget_(options.budget_percent) {
  registry_.set_capacity(program_.options().max_functions - kCalibrationCalls);
}

CallsCollector::~CallsCollector() {
  if (calibration_) (void)calibration_->wait();  // it uses the program until then
}

Result<std::unique_ptr<CallsCollector>> CallsCollector::load(const Options& options,
                                                             Recording& recording) {
  CallsProgram::Options program;
  program.tgid = static_cast<std::uint32_t>(options.pid);
  program.max_functions = options.functions + std::min(options.functions, kMaxTailCallees) +
                          kSpareFunctions + kCalibrationCalls;
  program.max_contexts = kMaxContexts;
  program.cpus = static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_CONF));
  program.by_thread = options.by_thread;
  program.budget = options.budget_percent / 100;
  program.unwind = options.unwind;
  program.follow_children = options.follow_children;
  program.log_slow = options.log_slow_calls;
  if (options.log_slow_calls) program.ring_bytes = kSlowRingBytes;
  Result<LoadedCalls> loaded = load_best_calls(program, options.mechanism);
  if (!loaded) return std::unexpected(loaded.error());
  std::unique_ptr<CallsCollector> self(new CallsCollector(std::move(*loaded), options, recording));
  if (options.calibrate)
    self->calibration_.emplace(
        Calibration::start(self->program_, program.max_functions - kCalibrationCalls));
  return self;
}

void CallsCollector::begin(CallsProgram::Handlers handlers) {
  program_.set_handlers(std::move(handlers));
  if (!mechanism_note_.empty()) recording_.notes.push_back(mechanism_note_);
  recording_.probe_mechanism = mechanism_name(mechanism());
  recording_.budget_percent = options_.budget_percent;
  recording_.calls_by_thread = options_.by_thread;
}

void CallsCollector::finish_calibration() {
  if (!calibration_) return;
  const Result<ProbeCosts> costs = calibration_->wait();
  if (costs)
    set_costs(*costs);
  else
    recording_.notes.push_back("probe cost is unknown, so there is no budget: " +
                               costs.error().message());
}

Result<void> CallsCollector::attach(std::int32_t pid, ProbePlan plan) {
  if (mechanism() == ProbeMechanism::kPerfEvent && plan.probes.size() > kMaxPerfEventProbes)
    return fail(ErrorCode::kUnsupported,
                fmt::format("this kernel offers perf-event uprobes only, at most {} of them; {} "
                            "are asked for",
                            kMaxPerfEventProbes, plan.probes.size()),
                "name fewer functions with -f");
  exit_sites_ = exit_sites_ || !plan.probes.sites.empty();
  for (const std::uint32_t func : plan.added) program_.control(func).mode = CS_FUNC_OFF;
  for (const PlannedFunction& function : plan.functions)
    program_.control(function.id).args_known = function.intact_arguments;
  CS_TRY(program_.links().attach(pid, std::move(plan.probes)));
  drop_refused(plan);
  begin_to_count(plan.added);
  begin_tail_callees(plan);
  for (std::string& note : plan.notes)
    if (std::ranges::find(recording_.notes, note) == recording_.notes.end())
      recording_.notes.push_back(std::move(note));
  return {};
}

void CallsCollector::begin_to_count(const std::vector<std::uint32_t>& functions) {
  for (const std::uint32_t func : functions) {
    if (registry_.stats(func) == nullptr) continue;
    set_cost(func);
    program_.control(func).mode = CS_FUNC_TIMED;
  }
}

void CallsCollector::begin_tail_callees(const ProbePlan& plan) {
  for (const std::uint32_t func : plan.tail_callees) {
    cs_func_ctl& control = program_.control(func);
    if (control.mode == CS_FUNC_OFF) continue;  // the budget took them away
    control.mode = CS_FUNC_TAIL_CALLEE;
    set_cost(func);
  }
}

void CallsCollector::set_cost(std::uint32_t func) {
  const ProbeCosts& costs = recording_.probe_costs;
  std::uint64_t cost_ns = 0;
  if (const auto emulated = registry_.tail_callee(func)) {
    cost_ns = exit_site_cost_ns(costs, *emulated);
  } else if (FunctionStats* const stats = registry_.stats(func)) {
    cost_ns = stats->probe_cost_ns = predicted_cost_ns(costs, *stats);
  }
  program_.control(func).cost_ns = static_cast<std::uint32_t>(cost_ns);
}

void CallsCollector::set_costs(const ProbeCosts& costs) {
  recording_.probe_costs = costs;
  for (std::uint32_t func = 0; func < registry_.size(); ++func) set_cost(func);
}

// Takes functions away whose probes are not all there: half of them would give wrong numbers.
void CallsCollector::drop_refused(ProbePlan& plan) {
  constexpr int kNotSupported = 524;  // ENOTSUPP, which libc has no text for
  const std::vector<ProbeFailure>& failures = program_.links().failures();
  std::set<std::uint32_t> refused;
  NamedReasons listed;
  for (; failures_seen_ < failures.size(); ++failures_seen_) {
    const ProbeFailure& failure = failures[failures_seen_];
    const std::uint32_t func = cs_cookie_func(failure.probe.cookie);
    if (func == CS_NO_FUNCTION) {
      plan.notes.push_back(fmt::format(
          "the loader or the catching of exceptions cannot be watched: {}: threw may be too low",
          std::strerror(failure.sys_errno)));
      continue;
    }
    if (registry_.tail_callee(func)) {
      plan.notes.emplace_back("a tail callee is not probed completely: calls may seem unwound");
      continue;
    }
    if (!refused.insert(func).second) continue;
    const char* const why =
        failure.sys_errno == kNotSupported ? "not supported" : std::strerror(failure.sys_errno);
    const FunctionStats* const stats = registry_.stats(func);
    listed.emplace_back(stats == nullptr ? "" : stats->name,
                        fmt::format("file offset {:#x}: {}", failure.probe.file_off, why));
  }
  if (listed.empty()) return;
  plan.notes.push_back(list_note("the kernel refuses an instruction", "function", listed));
  for (const std::uint32_t func : refused) {
    program_.control(func).mode = CS_FUNC_OFF;
    const bool fresh = std::ranges::find(plan.added, func) != plan.added.end();
    if (fresh) registry_.drop_row(func);  // others have counted before
  }
}

Result<void> CallsCollector::replace_return_probes(std::int32_t pid, const ProbePlan& plan) {
  std::set<std::uint32_t> timed;    // ends at sites now
  std::set<std::uint32_t> keeping;  // keeps its return probe
  for (const Probe& probe : plan.probes.return_probed) keeping.insert(cs_cookie_func(probe.cookie));
  for (const Probe& probe : plan.probes.sites)
    if (cs_cookie_kind(probe.cookie) == CS_PROBE_ENTRY) timed.insert(cs_cookie_func(probe.cookie));
  std::set<std::uint32_t> changed;
  for (const auto& [func, arguments] : plan.functions) {
    FunctionStats* const stats = registry_.stats(func);
    if (stats == nullptr || stats->exit != ExitMode::kUretprobe || keeping.contains(func)) continue;
    changed.insert(func);
    stats->exit = timed.contains(func) ? ExitMode::kRetSite : ExitMode::kEntryOnly;
    stats->probe_cost_ns = predicted_cost_ns(recording_.probe_costs, *stats);
  }
  exit_sites_ = true;
  CallProbes callees;
  const auto of_callee = [&](const Probe& probe) {
    return registry_.tail_callee(cs_cookie_func(probe.cookie)).has_value();
  };
  std::ranges::copy_if(plan.probes.sites, std::back_inserter(callees.sites), of_callee);
  std::ranges::copy_if(plan.probes.tail_jumps, std::back_inserter(callees.tail_jumps), of_callee,
                       &TailJump::probe);
  CS_TRY(program_.links().attach(pid, std::move(callees)));
  begin_tail_callees(plan);
  return program_.links().replace_return_probes(pid, changed, plan.probes);
}

void CallsCollector::enable(std::uint64_t begin_ns) {
  begin_ns_ = begin_ns;
  program_.enable();
}

Result<void> CallsCollector::keep_budget(std::uint64_t now_ns) {
  return budget_.keep(program_, registry_, recording_.probe_costs, begin_ns_, now_ns);
}

void CallsCollector::update(std::uint32_t second) {
  statistics_.update(program_, registry_, second, recording_);
}

void CallsCollector::add_quality(std::vector<QualityItem>& quality) const {
  const auto add = [&](cs_stat reason, const char* key, bool loss, const char* meaning) {
    quality.push_back({key, program_.counter(reason), loss, meaning});
  };
  add(CS_STAT_THREAD_STATE_FULL, "thread_state_full", true,
      "calls counted but not timed: no memory for the thread's shadow stack");
  add(CS_STAT_DEPTH_EXCEEDED, "depth_exceeded", false,
      "calls counted but not timed: more than 64 probed calls were open on the thread");
  // Exit-site probes also fire for calls that began before the recording.
  add(CS_STAT_RETURN_UNMATCHED, "returns_without_entry", !exit_sites_,
      exit_sites_ ? "returns of calls that began before the recording or were too deep"
                  : "returns whose entry was not seen");
  add(CS_STAT_BAD_COOKIE, "bad_cookie", true, "events with an impossible function id");
  add(CS_STAT_SLOT_UNREADABLE, "slot_unreadable", false,
      "tail calls taken as unwound: their return address could not be read");
  add(CS_STAT_MINMAX_CONTENDED, "minmax_contended", false,
      "calls missing in minimum or maximum: other CPUs wrote at the same time");
  add(CS_STAT_TREE_FULL, "call_tree_full", false,
      "calls counted without their callers: the tree of calls was full");
  add(CS_STAT_RETURN_RELINKED, "returns_relinked", false,
      "calls counted but not timed: their probes were changed while they were open");
  add(CS_STAT_CALL_EVENT_LOST, "call_events_lost", false,
      "loader, process or budget events lost: what depends on them came late");
  quality.push_back(
      {"tail_callees_shed", budget_.tail_callees_removed(), false,
       "functions that calls leave to by a jump and whose exits were given up to keep "
       "the budget: such calls count up to the jump"});
  quality.push_back({"latency_columns_dropped", statistics_.columns_dropped(), false,
                     "seconds of functions missing in the latency heat map: it was full"});
  add(CS_STAT_SLOW_LOST, "slow_calls_lost", true, "slow calls that could not be logged");
}

}  // namespace callscope
