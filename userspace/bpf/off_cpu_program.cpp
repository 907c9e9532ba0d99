// SPDX-License-Identifier: Apache-2.0
#include "bpf/off_cpu_program.hpp"

#include <bpf/libbpf.h>

#include <cerrno>
#include <utility>

#include "bpf/libbpf_error.hpp"
#include "bpf/map_access.hpp"
#include "offcpu.skel.h"

namespace callscope {

void OffCpuProgram::SkeletonDeleter::operator()(offcpu_bpf* skeleton) const {
  offcpu_bpf__destroy(skeleton);
}
OffCpuProgram::OffCpuProgram(OffCpuProgram&&) noexcept = default;
OffCpuProgram& OffCpuProgram::operator=(OffCpuProgram&&) noexcept = default;
OffCpuProgram::~OffCpuProgram() = default;

Result<OffCpuProgram> OffCpuProgram::start(const Options& options, const bpf_object* cpu,
                                           const OffCpuProgram* before) {
  OffCpuProgram program;
  program.skeleton_.reset(offcpu_bpf__open());
  if (!program.skeleton_)
    return std::unexpected(libbpf_error("cannot open the offcpu BPF object", errno));
  offcpu_bpf& skeleton = *program.skeleton_;
  skeleton.rodata->cs_config = {.python = options.python ? 1U : 0U};
  ::bpf_map__set_max_entries(skeleton.maps.cs_wait_times, options.max_stacks);
  if (before != nullptr) CS_TRY(share_maps(before->skeleton_->obj, skeleton.obj));
  CS_TRY(share_maps(cpu, skeleton.obj));
  if (const int error = offcpu_bpf__load(&skeleton); error != 0)
    return std::unexpected(libbpf_error("cannot load the offcpu BPF object", -error));
  if (const int error = offcpu_bpf__attach(&skeleton); error != 0)
    return std::unexpected(libbpf_error("cannot attach to the scheduler's tracepoints", -error));
  return program;
}

void OffCpuProgram::enable() { skeleton_->bss->cs_enabled = 1; }

void OffCpuProgram::stop() {
  skeleton_->bss->cs_enabled = 0;
  offcpu_bpf__detach(skeleton_.get());
}

Result<std::vector<OffCpuProgram::Counted>> OffCpuProgram::times(std::uint64_t now_ns) const {
  const auto over = read_hash_map<cs_stack_key, cs_wait_time>(skeleton_->maps.cs_wait_times,
                                                              "the waits by stack");
  if (!over) return std::unexpected(over.error());
  const auto waiting =
      read_hash_map<std::uint32_t, cs_wait>(skeleton_->maps.cs_waiting, "the threads that wait");
  if (!waiting) return std::unexpected(waiting.error());
  std::vector<Counted> all;
  for (const auto& [key, time] : *over)
    if (time.count != 0) all.push_back({key, time});
  for (const auto& [tid, wait] : *waiting) {
    if (wait.off_ns > now_ns) continue;
    const cs_off_cpu_time off =
        cs_split_off_cpu(wait.off_ns, wait.wake_ns, wait.preempted != 0, now_ns);
    all.push_back(
        {wait.key,
         {.count = 1, .blocked_ns = off.blocked_ns, .runq_ns = off.runq_ns, .sent = 0, .pad = 0}});
  }
  return all;
}

}  // namespace callscope
