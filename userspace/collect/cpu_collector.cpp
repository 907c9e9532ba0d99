// SPDX-License-Identifier: Apache-2.0
#include "collect/cpu_collector.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace callscope {

namespace {

constexpr std::size_t kMaxTimedSamples = 2'000'000;  // 48 MB; hours at 99 Hz

}  // namespace

Result<std::unique_ptr<CpuCollector>> CpuCollector::start(const CpuProgram::Options& options,
                                                          Recording& recording,
                                                          Symbolizer& symbolizer,
                                                          StackTable& stacks, UnwindThread& unwind,
                                                          CatchUp catch_up, bool python) {
  std::unique_ptr<CpuCollector> self(new CpuCollector(recording, symbolizer, stacks, unwind));
  self->catch_up_ = std::move(catch_up);
  CpuCollector* const raw = self.get();  // the program is a member: its handlers die with it
  Result<CpuProgram> program = CpuProgram::load(
      options, unwind.maps(),
      {[raw](const cs_stack_record& record) { raw->on_stack(record); },
       [raw](const cs_process_record& record) { raw->on_process(record); },
       [raw](const cs_sample_record& record) { raw->on_sample(record); },
       [raw](const cs_missed_record& record) {
         raw->unwind_.look_at(static_cast<std::int32_t>(record.tgid));
       },
       [raw](const cs_python_code_record& record) { raw->python_frames_.add_code(record); },
       [raw](const cs_python_stack_record& record) { raw->python_samples_.add_half(record); }});
  if (!program) return std::unexpected(program.error());
  CS_TRY(program->attach());
  self->program_ = std::make_unique<CpuProgram>(std::move(*program));
  if (python) self->python_ = std::make_unique<PythonFeed>(recording, symbolizer, *self->program_);
  return self;
}

void CpuCollector::stop() {
  program_->stop();
  program_->drain();
}

void CpuCollector::look_for_python(std::int32_t pid) {
  if (python_) python_->look(pid);
}

void CpuCollector::review_python_watches() {
  if (python_) python_->review_watches();
}

std::optional<MixedStack> CpuCollector::mix_python(const cs_stack_record& record) {
  const PythonSamples::Half* const half = python_samples_.half(record.key);
  if (half == nullptr || !python_) return std::nullopt;
  const auto pid = static_cast<std::int32_t>(record.key.tgid);
  // Of a deep stack the inner half only: what lies behind the gap fits to nothing.
  const bool deep = record.left_out != 0;
  const std::uint32_t n_user = deep ? CS_INNER_FRAMES : record.n_user;
  std::vector<bool> is_loop;
  for (std::uint32_t i = 0; i < n_user; ++i)
    is_loop.push_back(python_->is_loop(pid, record.frames[i] - (i == 0 ? 0 : 1)));
  std::optional<MixedStack> mixed =
      interleave(is_loop, record.end == CS_STACK_COMPLETE && !deep, half->frames, half->end);
  python_samples_.note(record.key, *half, mixed ? &*mixed : nullptr);
  return mixed;
}

StackEnd CpuCollector::add_user_frames(const cs_stack_record& record,
                                       std::vector<std::uint32_t>& frames) {
  const auto pid = static_cast<std::int32_t>(record.key.tgid);
  const auto add_native = [&](std::uint32_t i) {
    if (i == CS_INNER_FRAMES && record.left_out != 0)
      frames.push_back(symbolizer_.left_out_frame());
    const AddressKind kind = i == 0 ? AddressKind::kExact : AddressKind::kReturn;
    frames.push_back(symbolizer_.user_frame(pid, record.frames[i], kind));
  };
  const std::optional<MixedStack> mixed = mix_python(record);
  if (!mixed) {
    for (std::uint32_t i = 0; i < record.n_user; ++i) add_native(i);
    return stack_end(record.end, record.left_out != 0);
  }
  const PythonSamples::Half& half = python_samples_.last_half();
  for (const MixedFrame& frame : mixed->frames) {
    if (frame.python)
      frames.push_back(python_frames_.frame(record.key.tgid, half.frames[frame.index]));
    else
      add_native(frame.index);
  }
  return mixed->cut || record.left_out != 0 ? StackEnd::kDepth : stack_end(record.end, false);
}

// The leaf of each half is where it was interrupted; all others are return addresses.
void CpuCollector::add_kernel_frames(const cs_stack_record& record,
                                     std::vector<std::uint32_t>& frames) {
  for (std::uint32_t i = 0; i < record.n_kernel; ++i)
    frames.push_back(symbolizer_.kernel_frame(record.frames[record.n_user + i],
                                              i == 0 ? AddressKind::kExact : AddressKind::kReturn));
  if (record.kind != CS_RECORD_WAIT_STACK) return;
  // A wait begins in the scheduler: what is inside of it runs our own program.
  constexpr std::ptrdiff_t kMostOwnFrames = 8;
  const auto last = frames.begin() + std::min(kMostOwnFrames, std::ssize(frames));
  const auto scheduler = std::find_if(frames.begin(), last, [&](std::uint32_t id) {
    return recording_.frames[id].function == "__schedule";
  });
  if (scheduler != last) frames.erase(frames.begin(), scheduler + 1);
}

std::uint32_t CpuCollector::intern_stack(const cs_stack_record& record) {
  std::vector<std::uint32_t> frames;
  frames.reserve(record.n_kernel + record.n_user);
  add_kernel_frames(record, frames);
  const StackEnd end = add_user_frames(record, frames);
  return stacks_.intern(std::move(frames), is_cut(end) || record.kernel_cut != 0, end);
}

bool CpuCollector::knows_code_of(const cs_stack_record& record) const {
  const ProcessMaps* const maps = symbolizer_.process(static_cast<std::int32_t>(record.key.tgid));
  return maps != nullptr &&
         std::all_of(record.frames, record.frames + record.n_user,
                     [&](std::uint64_t addr) { return maps->find(addr) != nullptr; });
}

bool CpuCollector::knows(const cs_stack_record& record) const {
  switch (record.kind) {
    case CS_RECORD_WAIT_STACK:
      return waits_.knows(record.key);
    case CS_RECORD_FAULT_STACK:
      return faults_.knows(record.key);
    default:
      return rows_.find(record.key).has_value();
  }
}

void CpuCollector::add_row(const cs_stack_record& record, std::uint32_t stack) {
  switch (record.kind) {
    case CS_RECORD_WAIT_STACK:
      return waits_.add(record.key, stack);
    case CS_RECORD_FAULT_STACK:
      return faults_.add(record.key, stack);
    default:
      if (rows_.add(record.key, stack))
        recording_.cpu.push_back({stack, static_cast<std::int32_t>(record.key.tgid),
                                  static_cast<std::int32_t>(record.key.tid), 0, 0});
  }
}

void CpuCollector::on_stack(const cs_stack_record& record) {
  if (knows(record)) return;
  const auto pid = static_cast<std::int32_t>(record.key.tgid);
  const auto tid = static_cast<std::int32_t>(record.key.tid);
  if (!knows_code_of(record)) catch_up_(pid);
  add_row(record, intern_stack(record));
  const std::uint64_t thread = std::uint64_t{record.key.tgid} << 32 | record.key.tid;
  if (threads_.try_emplace(thread, recording_.threads.size()).second)
    recording_.threads.push_back(
        {pid, tid, std::string(record.comm, ::strnlen(record.comm, CS_COMM_LEN))});
}

void CpuCollector::on_sample(const cs_sample_record& record) {
  const std::optional<std::size_t> row = rows_.find(record.key);
  if (!row || samples_kept_ >= kMaxTimedSamples) {
    ++samples_dropped_;
    return;
  }
  ++samples_kept_;
  samples_[static_cast<std::int32_t>(record.key.tid)].push_back({record.t_ns, *row, false});
}

void CpuCollector::mark_slow(std::int32_t tid, std::uint64_t from_ns, std::uint64_t to_ns) {
  const auto samples = samples_.find(tid);
  if (samples == samples_.end()) return;
  auto sample = std::ranges::lower_bound(samples->second, from_ns, {}, &TimedSample::t_ns);
  for (; sample != samples->second.end() && sample->t_ns <= to_ns; ++sample)
    if (!std::exchange(sample->slow, true)) ++recording_.cpu[sample->row].slow_count;
}

void CpuCollector::on_process(const cs_process_record& record) {
  const auto pid = static_cast<std::int32_t>(record.tgid);
  const auto parent = static_cast<std::int32_t>(record.parent_tgid);
  switch (record.kind) {
    case CS_RECORD_FORK:
      symbolizer_.adopt(pid, parent);
      if (python_) python_->forked(pid, parent);
      break;
    case CS_RECORD_EXEC:
      // Its maps are new; when it has ended already, they are what it was seen to map.
      if (!symbolizer_.refresh(pid)) catch_up_(pid);
      if (python_) python_->forget(pid);
      look_for_python(pid);
      break;
    case CS_RECORD_EXIT:
      if (python_) python_->forget(pid);
      break;
    default:
      break;
  }
}

Result<void> CpuCollector::update(std::uint64_t now_ns) {
  CS_TRY(update_samples());
  if (recording_.off_cpu) CS_TRY(waits_.update(*program_, now_ns));
  return recording_.page_faults ? faults_.update(*program_) : Result<void>{};
}

Result<void> CpuCollector::update_samples() {
  const Result<std::vector<CpuProgram::Counted>> counts = program_->counts();
  if (!counts) return std::unexpected(counts.error());
  lost_frames_samples_ = 0;
  for (CpuSamples& samples : recording_.cpu) samples.count = 0;
  python_samples_.begin_counting();
  for (const CpuProgram::Counted& counted : *counts) {
    python_samples_.count(counted.key, counted.count);
    if (const std::optional<std::size_t> row = rows_.find(counted.key))
      recording_.cpu[*row].count += counted.count;
    else
      lost_frames_samples_ += counted.count;
  }
  return {};
}

void CpuCollector::add_quality(std::vector<QualityItem>& quality) const {
  const auto add = [&](cs_stat reason, const char* key, bool loss, const char* meaning) {
    quality.push_back({key, program_->counter(reason), loss, meaning});
  };
  add(CS_STAT_TICKS, "sampling_ticks", false, "sampling interrupts on all CPUs, idle ones too");
  add(CS_STAT_STACK_TABLE_FULL, "stack_table_full", true,
      "samples lost: the table of distinct stacks was full");
  add(CS_STAT_RING_FULL, "ring_full", false,
      "stacks that waited because the ring buffer was full; sent again with the next sample");
  quality.push_back({"stacks_not_received", lost_frames_samples_, true,
                     "samples whose stack never fit into the ring buffer"});
  if (samples_kept_ + samples_dropped_ > 0)
    quality.push_back({"slow_samples_lost",
                       samples_dropped_ + program_->counter(CS_STAT_SAMPLE_LOST), true,
                       "samples that could not be told apart as taken in slow calls"});
  if (recording_.off_cpu) waits_.add_quality(*program_, quality);
  if (recording_.page_faults) faults_.add_quality(*program_, quality);
  add(CS_STAT_TARGETS_FULL, "children_not_followed", true,
      "forked processes not sampled: too many at one time");
  add(CS_STAT_EVENT_LOST, "process_events_lost", false,
      "fork, exec or exit events lost: names in short-lived children may be missing");
  if (!python_ || !python_->found_any()) return;
  python_samples_.add_quality(quality);
  python_frames_.add_quality(quality);
}

}  // namespace callscope
