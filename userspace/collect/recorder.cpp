// SPDX-License-Identifier: Apache-2.0
#include "collect/recorder.hpp"

#include <fmt/format.h>

#include <numeric>
#include <set>

#include "collect/hot_functions.hpp"
#include "collect/inlined_notes.hpp"
#include "collect/source_lines.hpp"
#include "sys/clock.hpp"
#include "sys/lost_pages.hpp"

namespace callscope {
namespace {

constexpr std::size_t kMaxHotFunctions = 100;
constexpr std::uint64_t kMaxSourceLinesNs = 15 * kNsPerSecond;

std::size_t module_count(const ProcessMaps* maps) {
  std::set<const CachedModule*> modules;
  if (maps != nullptr)
    for (const CodeMapping& code : maps->mappings())
      if (code.module != nullptr && code.mapping.inode != 0) modules.insert(code.module);
  return modules.size();
}

}  // namespace

Recorder::Recorder(Process process, const RecordOptions& options)
    : options_(options),
      process_(std::move(process)),
      symbolizer_(recording_),
      stacks_(recording_),
      slow_calls_(options.slow_rules, recording_, symbolizer_, stacks_) {}

Recorder::~Recorder() = default;

void Recorder::follow_changes() {
  using enum UnwindThread::Change::Kind;
  for (const UnwindThread::Change& change : unwind_->take_changes()) {
    // Names of what the targets mapped, even if they have ended meanwhile.
    if (change.kind == kForked) symbolizer_.adopt(change.pid, change.parent);
    if (change.kind == kMapped) (void)symbolizer_.refresh(change.pid, change.maps_text);
    if (change.kind == kMapped && cpu_) cpu_->look_for_python(change.pid);
    if (change.kind == kForked && spans_) spans_->add_process(change.pid);
    if (change.kind == kEnded && spans_) spans_->remove_process(change.pid);
  }
}

void Recorder::set_slow_thresholds() {
  if (calls_)
    slow_calls_.set_thresholds(calls_->calls().program(), calls_->calls().registry(),
                               calls_->executables());
}

Result<void> Recorder::start_spans() {
  if (options_.spans.empty()) return {};
  Result<SpansCollector> spans = SpansCollector::start(process_.pid(), symbolizer_, options_.spans,
                                                       {.mechanism = options_.mechanism});
  if (!spans) return std::unexpected(spans.error());
  spans_.emplace(std::move(*spans));
  modules_with_spans_ = module_count(symbolizer_.process(process_.pid()));
  spans_->update(recording_.spans);
  return {};
}

// What spans and markers are not seen, as far as the target gave occasion for it.
void Recorder::note_unseen_spans() {
  if (!spans_) return;
  if (process_.alive()) (void)symbolizer_.refresh(process_.pid());
  const std::size_t modules = module_count(symbolizer_.process(process_.pid()));
  if (modules > modules_with_spans_)
    recording_.notes.push_back(
        fmt::format("spans and markers are not seen in libraries that were loaded after the start: "
                    "{} came",
                    modules - modules_with_spans_));
  recording_.notes.insert(recording_.notes.end(), spans_->notes().begin(), spans_->notes().end());
}

void Recorder::enable() {
  recording_.start_unix_ns = unix_ns();
  begin_ns_ = monotonic_ns();
  resources_.emplace(process_.pid(), options_.interval_ns, options_.max_snapshots);
  (void)resources_->take(0, recording_.snapshots);  // a target that is gone has no first one
  if (calls_ && options_.stands_in_loader) calls_->expect_announcement();
  if (calls_) calls_->enable(begin_ns_);
  if (spans_) spans_->enable();
  if (cpu_) cpu_->enable();
}

Result<void> Recorder::drain() {
  follow_changes();
  if (cpu_) cpu_->drain();
  if (!calls_) return {};
  const Result<void> drained = calls_->drain();
  // Of libraries that were loaded and programs that were executed meanwhile.
  set_slow_thresholds();
  return drained;
}

Result<void> Recorder::housekeep() {
  if (cpu_) cpu_->drain();  // stacks wake nobody
  return calls_ ? calls_->housekeep(monotonic_ns()) : Result<void>{};
}

Result<void> Recorder::tick() {
  const std::uint64_t now_ns = monotonic_ns();
  recording_.duration_ns = now_ns - begin_ns_;
  // A target that has just ended keeps the maps and the snapshots that it had.
  if (process_.alive()) {
    (void)symbolizer_.refresh(process_.pid());
    unwind_->look_at(process_.pid());
    if (cpu_) cpu_->look_for_python(process_.pid());
    (void)resources_->take(recording_.duration_ns, recording_.snapshots);
  }
  CS_TRY(drain());
  if (cpu_) cpu_->review_python_watches();
  if (cpu_) CS_TRY(cpu_->update(now_ns));
  CS_TRY(choose_hot_functions());
  update_calls(now_ns);
  if (spans_) spans_->update(recording_.spans);
  update_quality();
  debug_info_.look(symbolizer_);
  return {};
}

Result<void> Recorder::choose_hot_functions() {
  if (!loading_.valid() || recording_.duration_ns < kNsPerSecond || !process_.alive()) return {};
  FoundFunctions found = find_hot_functions(recording_, symbolizer_, kMaxHotFunctions);
  if (found.functions.empty()) return {};
  Result<std::unique_ptr<CallsCollector>> loaded = loading_.get();
  if (!loaded) {
    recording_.notes.push_back("no function is probed: " + loaded.error().message());
    return {};
  }
  Result<std::unique_ptr<CallTracer>> calls = CallTracer::start(
      process_.pid(), call_options(), recording_, symbolizer_, slow_handler(), std::move(*loaded));
  if (!calls) return std::unexpected(calls.error());
  calls_ = std::move(*calls);
  calls_->calls().finish_calibration();
  CS_TRY(watch(calls_->ring_fd()));
  calls_->enable(begin_ns_);
  const std::size_t count = found.functions.size();
  CS_TRY(calls_->add_functions(std::move(found)));
  recording_.notes.push_back(
      fmt::format("{} functions of hot stacks are probed since {:.1f} s; -f chooses others", count,
                  static_cast<double>(monotonic_ns() - begin_ns_) / 1e9));
  set_slow_thresholds();
  return {};
}

void Recorder::update_calls(std::uint64_t now_ns) {
  if (!calls_) return;
  // What is seen now returned since the last time, which is about a second ago: it belongs to the
  // second that holds most of that.
  const std::uint64_t elapsed_ns = now_ns - begin_ns_;
  const std::uint64_t middle_ns = std::midpoint(calls_updated_ns_, elapsed_ns);
  calls_updated_ns_ = elapsed_ns;
  calls_->calls().update(static_cast<std::uint32_t>(middle_ns / kNsPerSecond));
  slow_calls_.update(calls_->calls().registry(), begin_ns_, cpu_.get());
}

Result<void> Recorder::stop(const std::string& ended_by) {
  const std::uint64_t end_ns = monotonic_ns();
  if (process_.alive()) (void)resources_->finish(end_ns - begin_ns_, recording_.snapshots);
  Result<void> stopped;
  if (calls_) stopped = calls_->stop();
  if (spans_) spans_->stop();
  if (cpu_) {
    cpu_->stop();
    CS_TRY(cpu_->update(end_ns));
  }
  update_calls(end_ns);
  symbolizer_.refresh_names();
  if (spans_) spans_->update(recording_.spans);
  if (inlined_) apply_inlined(inlined_->finish(kNsPerSecond), recording_);
  add_source_lines(recording_, symbolizer_, debug_info_,
                   {.inlined_frames = options_.inlined_frames,
                    .deadline_ns = monotonic_ns() + kMaxSourceLinesNs});
  recording_.duration_ns = end_ns - begin_ns_;
  recording_.target.ended_by = ended_by;
  recording_.finished = true;
  note_unseen_spans();
  update_quality();
  for (std::string& note : symbolizer_.module_notes()) recording_.notes.push_back(std::move(note));
  if (symbolizer_.kernel_names_hidden())
    recording_.notes.push_back("kernel functions have no names: kernel.kptr_restrict hides them");
  return stopped;
}

void Recorder::update_quality() {
  recording_.quality.clear();
  if (cpu_) cpu_->add_quality(recording_.quality);
  unwind_->add_quality(recording_.quality);
  if (calls_) calls_->calls().add_quality(recording_.quality);
  if (slow_calls_.wanted()) slow_calls_.add_quality(recording_.quality);
  if (spans_) spans_->add_quality(recording_.quality);
  recording_.quality.push_back({"file_pages_lost", lost_pages(), false,
                                "pages of programs and libraries that were gone when they were "
                                "read: cut short meanwhile; names may be missing"});
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
