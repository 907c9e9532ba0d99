// SPDX-License-Identifier: Apache-2.0
#include "bpf/cpu_program.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "bpf/libbpf_error.hpp"
#include "bpf/map_access.hpp"
#include "bpf/mechanism_trial.hpp"
#include "cpu.skel.h"

namespace callscope {
namespace {

void on_python(const CpuProgram::Handlers& handlers, const void* data, std::size_t size,
               std::uint32_t kind) {
  if (kind == CS_RECORD_PYTHON_CODE) {
    const auto& record = *static_cast<const cs_python_code_record*>(data);
    if (handlers.python_code && size >= offsetof(cs_python_code_record, lines) + record.lines_sent)
      handlers.python_code(record);
    return;
  }
  const auto& record = *static_cast<const cs_python_stack_record*>(data);
  if (handlers.python_stack &&
      size >= offsetof(cs_python_stack_record, frames) + record.n_frames * sizeof(record.frames[0]))
    handlers.python_stack(record);
}

// A record is taken only when it is as long as it says; BPF made it, so this never fails.
int on_record(void* context, void* data, std::size_t size) {
  const auto& handlers = *static_cast<const CpuProgram::Handlers*>(context);
  std::uint32_t kind = 0;
  if (size < sizeof(cs_process_record)) return 0;
  std::memcpy(&kind, data, sizeof(kind));
  if (kind == CS_RECORD_STACK || kind == CS_RECORD_WAIT_STACK || kind == CS_RECORD_FAULT_STACK) {
    const auto& record = *static_cast<const cs_stack_record*>(data);
    const std::size_t frames = std::size_t{record.n_user} + record.n_kernel;
    if (size >= offsetof(cs_stack_record, frames) + frames * sizeof(record.frames[0]))
      handlers.stack(record);
  } else if (kind == CS_RECORD_MISSED) {
    if (handlers.missed) handlers.missed(*static_cast<const cs_missed_record*>(data));
  } else if (kind == CS_RECORD_PYTHON_CODE || kind == CS_RECORD_PYTHON_STACK) {
    on_python(handlers, data, size, kind);
  } else if (kind == CS_RECORD_SAMPLE) {
    if (handlers.sample) handlers.sample(*static_cast<const cs_sample_record*>(data));
  } else {
    handlers.process(*static_cast<const cs_process_record*>(data));
  }
  return 0;
}

using Counts = Result<std::vector<std::pair<cs_stack_key, cs_stack_count>>>;

Result<std::vector<CpuProgram::Counted>> counted(const Counts& counts) {
  if (!counts) return std::unexpected(counts.error());
  std::vector<CpuProgram::Counted> all;
  for (const auto& [key, value] : *counts)
    if (value.count != 0) all.push_back({key, value.count});
  return all;
}

Result<void> load_object(cpu_bpf& skeleton) {
  const int error = cpu_bpf__load(&skeleton);
  if (error != 0) return std::unexpected(libbpf_error("cannot load the cpu BPF object", -error));
  return {};
}

}  // namespace

void CpuProgram::SkeletonDeleter::operator()(cpu_bpf* skeleton) const {
  cpu_bpf__destroy(skeleton);
}
void CpuProgram::RingDeleter::operator()(ring_buffer* ring) const { ::ring_buffer__free(ring); }
CpuProgram::CpuProgram(CpuProgram&&) noexcept = default;
CpuProgram& CpuProgram::operator=(CpuProgram&&) noexcept = default;
CpuProgram::~CpuProgram() = default;

Result<CpuProgram::Skeleton> CpuProgram::open(bool python) const {
  Skeleton skeleton(cpu_bpf__open());
  if (!skeleton) return std::unexpected(libbpf_error("cannot open the cpu BPF object", errno));
  skeleton->rodata->cs_config = {.follow_children = options_.follow_children ? 1U : 0U,
                                 .log_samples = options_.log_samples ? 1U : 0U,
                                 .python = python ? 1U : 0U};
  ::bpf_map__set_max_entries(skeleton->maps.cs_stack_counts, options_.max_stacks);
  ::bpf_map__set_max_entries(skeleton->maps.cs_ring, options_.ring_bytes);
  choose_program(skeleton->progs.cs_python_freed,
                 python && try_mechanism(ProbeMechanism::kMulti).has_value(),
                 kAttachTraceUprobeMulti);
  if (python) return skeleton;
  for (bpf_map* const unused : {skeleton->maps.cs_python_processes,
                                skeleton->maps.cs_python_threads, skeleton->maps.cs_python_codes})
    ::bpf_map__set_max_entries(unused, 1);
  return skeleton;
}

Result<CpuProgram> CpuProgram::load(const Options& options, const UnwindMaps& unwind,
                                    Handlers handlers) {
  silence_libbpf();
  CpuProgram program;
  program.options_ = options;
  program.handlers_ = std::make_unique<Handlers>(std::move(handlers));
  Result<Skeleton> skeleton = program.open(options.python);
  if (!skeleton) return std::unexpected(skeleton.error());
  program.skeleton_ = std::move(*skeleton);
  CS_TRY(unwind.give_to(program.skeleton_->obj));
  CS_TRY(load_object(*program.skeleton_));
  program.ring_.reset(::ring_buffer__new(::bpf_map__fd(program.skeleton_->maps.cs_ring), on_record,
                                         program.handlers_.get(), nullptr));
  if (!program.ring_) return std::unexpected(libbpf_error("cannot map the ring buffer", errno));
  CS_TRY(program.add_target(options.tgid));
  CS_TRY(program.start_others(false));
  return program;
}

// With or without Python, as the running programs are. Those that ran until now end then.
Result<void> CpuProgram::start_others(bool enabled) {
  const bool python = options_.python || python_;
  if (options_.off_cpu) {
    Result<OffCpuProgram> off_cpu =
        OffCpuProgram::start({.python = python, .max_stacks = options_.max_stacks}, running().obj,
                             off_cpu_ ? &*off_cpu_ : nullptr);
    if (!off_cpu) return std::unexpected(off_cpu.error());
    if (enabled) off_cpu->enable();
    off_cpu_ = std::move(*off_cpu);  // after the other has begun: no wait is missed
  }
  if (!options_.page_faults) return {};
  Result<MemoryProgram> memory =
      MemoryProgram::start({.python = python, .max_stacks = options_.max_stacks}, running().obj,
                           memory_ ? &*memory_ : nullptr);
  if (!memory) return std::unexpected(memory.error());
  if (memory_) memory_->stop();  // before the other begins: no fault counts twice
  if (enabled) memory->enable();
  memory_ = std::move(*memory);
  return {};
}

Result<void> CpuProgram::add_target(std::uint32_t tgid) {
  const std::uint8_t present = 1;
  if (::bpf_map__update_elem(skeleton_->maps.cs_targets, &tgid, sizeof(tgid), &present,
                             sizeof(present), BPF_ANY) != 0)
    return std::unexpected(libbpf_error("cannot set the target process", errno));
  return {};
}

Result<PerfLinks> CpuProgram::attach(cpu_bpf& programs) const {
  if (cpu_bpf__attach(&programs) != 0)  // the tracepoints
    return std::unexpected(libbpf_error("cannot attach to the process tracepoints", errno));
  if (options_.sample_hz == 0) return PerfLinks{};
  return attach_on_cpus(programs.progs.cs_sample_cpu, [&](int cpu) {
    return open_sampling_event(options_.clock, cpu, options_.sample_hz);
  });
}

Result<void> CpuProgram::attach() {
  Result<PerfLinks> links = attach(*skeleton_);
  if (!links) return std::unexpected(links.error());
  links_ = std::move(*links);
  return {};
}

// The programs take turns; at most one sample a CPU is taken by neither.
Result<void> CpuProgram::start_python() {
  Result<Skeleton> fresh = open(true);
  if (!fresh) return std::unexpected(fresh.error());
  CS_TRY(share_maps(skeleton_->obj, (*fresh)->obj, "cs_python"));
  CS_TRY(load_object(**fresh));
  Result<PerfLinks> links = attach(**fresh);
  if (!links) return std::unexpected(links.error());
  const bool enabled = std::exchange(skeleton_->bss->cs_enabled, 0) != 0;
  (*fresh)->bss->cs_enabled = enabled ? 1 : 0;
  links_ = std::move(*links);
  cpu_bpf__detach(skeleton_.get());
  python_ = std::move(*fresh);
  return start_others(enabled);
}

Result<void> CpuProgram::set_python(std::uint32_t tgid, const cs_python_process& process) {
  if (!options_.python && !python_) CS_TRY(start_python());
  if (::bpf_map__update_elem(running().maps.cs_python_processes, &tgid, sizeof(tgid), &process,
                             sizeof(process), BPF_ANY) != 0)
    return fail(ErrorCode::kUnsupported, "too many processes run Python", {}, errno);
  return {};
}

void CpuProgram::watch_python(std::int32_t pid, const Probe& destructor) {
  if (::bpf_program__fd(running().progs.cs_python_freed) < 0) return;  // not loaded
  if (!python_watch_)
    python_watch_ = std::make_unique<PythonWatch>(running().progs.cs_python_freed,
                                                  running().maps.cs_python_processes);
  python_watch_->begin(pid, destructor);
}

void CpuProgram::unwatch_python(std::int32_t pid) {
  if (python_watch_) python_watch_->end(pid);
}

void CpuProgram::review_python() {
  if (python_watch_) python_watch_->review();
}

void CpuProgram::enable() {
  running().bss->cs_enabled = 1;
  if (off_cpu_) off_cpu_->enable();
  if (memory_) memory_->enable();
}

void CpuProgram::stop() {
  running().bss->cs_enabled = 0;
  if (off_cpu_) off_cpu_->stop();
  if (memory_) memory_->stop();
  if (python_watch_) python_watch_->end_all();
  links_.clear();
  cpu_bpf__detach(&running());
}

int CpuProgram::ring_fd() const { return ::ring_buffer__epoll_fd(ring_.get()); }

void CpuProgram::drain() { ::ring_buffer__consume(ring_.get()); }

Result<std::vector<CpuProgram::Counted>> CpuProgram::counts() const {
  return counted(read_hash_map<cs_stack_key, cs_stack_count>(skeleton_->maps.cs_stack_counts,
                                                             "the stack counts"));
}

Result<std::vector<CpuProgram::Counted>> CpuProgram::page_faults() const {
  if (!memory_) return {};
  return counted(memory_->counts());
}

Result<std::vector<OffCpuProgram::Counted>> CpuProgram::off_cpu_times(std::uint64_t now_ns) const {
  if (!off_cpu_) return {};
  return off_cpu_->times(now_ns);
}

std::uint64_t CpuProgram::counter(cs_stat reason) const {
  const auto key = static_cast<std::uint32_t>(reason);
  std::uint64_t value = 0;
  ::bpf_map__lookup_elem(skeleton_->maps.cs_stats, &key, sizeof(key), &value, sizeof(value), 0);
  return value;
}

}  // namespace callscope
