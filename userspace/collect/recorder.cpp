// SPDX-License-Identifier: Apache-2.0
#include "collect/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "collect/exit_policy.hpp"
#include "collect/host.hpp"
#include "sys/clock.hpp"

namespace callscope {

Recorder::Recorder(Process process, const RecordOptions& options)
    : options_(options), process_(std::move(process)), symbolizer_(recording_) {}

Result<std::unique_ptr<Recorder>> Recorder::create(std::int32_t pid, const RecordOptions& options) {
  Result<Process> process = Process::open(pid);
  if (!process) return std::unexpected(process.error());
  std::unique_ptr<Recorder> self(new Recorder(std::move(*process), options));
  CS_TRY(self->describe_target());
  CS_TRY(self->start_cpu());
  CS_TRY(self->start_calls());
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
  return {};
}

Result<void> Recorder::start_cpu() {
  if (options_.sample_hz == 0) return {};
  Result<std::unique_ptr<CpuCollector>> cpu =
      CpuCollector::start({.tgid = static_cast<std::uint32_t>(process_.pid()),
                           .sample_hz = options_.sample_hz,
                           .clock = options_.clock,
                           .follow_children = options_.follow_children},
                          recording_, symbolizer_);
  if (!cpu) return std::unexpected(cpu.error());
  cpu_ = std::move(*cpu);
  recording_.sample_hz = static_cast<std::uint32_t>(options_.sample_hz);
  recording_.sample_event = options_.clock == SampleClock::kCycles ? "cycles" : "cpu-clock";
  return {};
}

Result<void> Recorder::start_calls() {
  if (options_.patterns.empty()) return {};
  calibration_.emplace(Calibration::start(options_.mechanism));
  Result<SafetyFacts> facts = inspect_target(process_.pid());
  if (!facts) return std::unexpected(facts.error());
  facts_ = std::move(*facts);
  Result<ExitPolicy> policy = choose_exit_policy(facts_, recording_.host.kernel);
  if (options_.exit_mode) policy = with_exit_mode(std::move(*policy), *options_.exit_mode);
  if (!policy) return std::unexpected(policy.error());
  Result<ProbePlan> plan = plan_probes(process_.pid(), symbolizer_, options_.patterns, *policy);
  if (!plan) return std::unexpected(plan.error());
  Result<CallsCollector> calls = CallsCollector::start(process_.pid(), *plan, options_.mechanism);
  if (!calls) return std::unexpected(calls.error());
  calls_.emplace(std::move(*calls));
  recording_.notes.insert(recording_.notes.end(), plan->notes.begin(), plan->notes.end());
  recording_.functions = std::move(plan->functions);
  recording_.probe_mechanism = mechanism_name(calls_->mechanism());
  return {};
}

void Recorder::enable() {
  recording_.start_unix_ns = unix_ns();
  begin_ns_ = monotonic_ns();
  resources_.emplace(process_.pid(), options_.interval_ns, options_.max_snapshots);
  (void)resources_->take(0, recording_.snapshots);  // a target that is gone has no first one
  if (calls_) calls_->enable();
  if (cpu_) cpu_->enable();
}

int Recorder::ring_fd() const { return cpu_ ? cpu_->ring_fd() : -1; }

void Recorder::drain() {
  if (cpu_) cpu_->drain();
}

Result<void> Recorder::tick() {
  const std::uint64_t now_ns = monotonic_ns();
  recording_.duration_ns = now_ns - begin_ns_;
  // A target that has just ended keeps the maps and the snapshots that it had.
  if (process_.alive()) {
    (void)symbolizer_.refresh(process_.pid());
    watch_for_unwinder();
    (void)resources_->take(recording_.duration_ns, recording_.snapshots);
  }
  drain();
  if (cpu_) CS_TRY(cpu_->update());
  if (calls_) calls_->update(recording_.functions);
  update_quality();
  return {};
}

// A library that the target has loaded meanwhile may make return probes dangerous.
void Recorder::watch_for_unwinder() {
  if (!calls_ || !calls_->has_return_probes()) return;
  std::vector<Mapping> maps;  // as tick() has just read them
  if (const ProcessMaps* const process = symbolizer_.process(process_.pid()))
    for (const CodeMapping& code : process->mappings()) maps.push_back(code.mapping);
  if (new_modules(facts_, maps).empty()) return;
  Result<SafetyFacts> facts = inspect_target(process_.pid());
  if (!facts) return;  // gone: its probes are, too
  facts_ = std::move(*facts);
  const ExitPolicy policy = choose_exit_policy(facts_, recording_.host.kernel);
  if (policy.best == ExitMode::kUretprobe) return;
  calls_->drop_return_probes();
  return_probes_dropped_ = true;
  recording_.notes.push_back(fmt::format(
      "functions were counted until {:.1f} s only, when the target loaded a library: {}",
      static_cast<double>(recording_.duration_ns) / 1e9, policy.reason));
}

void Recorder::finish_calibration() {
  if (!calibration_) return;
  const Result<ProbeCosts> costs = calibration_->wait();
  if (!costs) {
    recording_.notes.push_back("probe cost is unknown: " + costs.error().message());
    return;
  }
  recording_.probe_costs = *costs;
  for (FunctionStats& function : recording_.functions)
    function.probe_cost_ns = predicted_cost_ns(*costs, function);
}

Result<void> Recorder::stop(const std::string& ended_by) {
  const std::uint64_t end_ns = monotonic_ns();
  if (process_.alive()) (void)resources_->finish(end_ns - begin_ns_, recording_.snapshots);
  Result<void> stopped;
  if (calls_) stopped = calls_->stop();
  if (cpu_) {
    cpu_->stop();
    CS_TRY(cpu_->update());
  }
  if (calls_) calls_->update(recording_.functions);
  finish_calibration();
  recording_.duration_ns = end_ns - begin_ns_;
  recording_.target.ended_by = ended_by;
  recording_.finished = true;
  update_quality();
  if (cpu_ && cpu_->saw_children() && !recording_.functions.empty())
    recording_.notes.push_back("functions are timed in the target alone; its children are sampled");
  for (std::string& note : symbolizer_.module_notes()) recording_.notes.push_back(std::move(note));
  if (symbolizer_.kernel_names_hidden())
    recording_.notes.push_back("kernel functions have no names: kernel.kptr_restrict hides them");
  return stopped;
}

void Recorder::update_quality() {
  recording_.quality.clear();
  if (cpu_) cpu_->add_quality(recording_.quality);
  if (calls_) calls_->add_quality(recording_.quality);
  if (calls_)
    recording_.quality.push_back({"return_probes_dropped", return_probes_dropped_ ? 1U : 0U, true,
                                  "functions were not counted to the end: see the notes"});
}

Recorder::Progress Recorder::progress() const {
  Progress progress;
  if (cpu_) progress.samples = cpu_->samples();
  for (const FunctionStats& function : recording_.functions) progress.calls += function.calls;
  for (const QualityItem& item : recording_.quality)
    if (item.loss) progress.lost += item.value;
  return progress;
}

}  // namespace callscope
