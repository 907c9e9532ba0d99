// SPDX-License-Identifier: Apache-2.0
#include "bpf/memory_program.hpp"

#include <bpf/libbpf.h>

#include <cerrno>

#include "bpf/libbpf_error.hpp"
#include "bpf/map_access.hpp"
#include "memory.skel.h"
#include "sys/perf_event.hpp"

namespace callscope {

void MemoryProgram::SkeletonDeleter::operator()(memory_bpf* skeleton) const {
  memory_bpf__destroy(skeleton);
}
MemoryProgram::MemoryProgram(MemoryProgram&&) noexcept = default;
MemoryProgram& MemoryProgram::operator=(MemoryProgram&&) noexcept = default;
MemoryProgram::~MemoryProgram() = default;

Result<MemoryProgram> MemoryProgram::start(const Options& options, const bpf_object* cpu,
                                           const MemoryProgram* before) {
  MemoryProgram program;
  program.skeleton_.reset(memory_bpf__open());
  if (!program.skeleton_)
    return std::unexpected(libbpf_error("cannot open the memory BPF object", errno));
  memory_bpf& skeleton = *program.skeleton_;
  skeleton.rodata->cs_config = {.python = options.python ? 1U : 0U};
  ::bpf_map__set_max_entries(skeleton.maps.cs_fault_counts, options.max_stacks);
  if (before != nullptr) CS_TRY(share_maps(before->skeleton_->obj, skeleton.obj));
  CS_TRY(share_maps(cpu, skeleton.obj));
  if (const int error = memory_bpf__load(&skeleton); error != 0)
    return std::unexpected(libbpf_error("cannot load the memory BPF object", -error));
  Result<PerfLinks> links = attach_on_cpus(skeleton.progs.cs_fault_memory, open_page_fault_event);
  if (!links) return std::unexpected(links.error());
  program.links_ = std::move(*links);
  return program;
}

void MemoryProgram::enable() { skeleton_->bss->cs_enabled = 1; }

void MemoryProgram::stop() {
  skeleton_->bss->cs_enabled = 0;
  links_.clear();
}

Result<std::vector<std::pair<cs_stack_key, cs_stack_count>>> MemoryProgram::counts() const {
  return read_hash_map<cs_stack_key, cs_stack_count>(skeleton_->maps.cs_fault_counts,
                                                     "the page faults by stack");
}

}  // namespace callscope
