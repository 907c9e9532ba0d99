// SPDX-License-Identifier: Apache-2.0
#include "bpf/python_watch.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include "bpf/own_code.hpp"
#include "callscope/abi/python.h"

namespace callscope {
namespace {

// Code objects that a process may free before its generations could be another's.
constexpr unsigned kGenerationBits = 40;

[[gnu::noinline]] void free_nothing() { asm volatile(""); }

}  // namespace

bool PythonWatch::set_generation(std::int32_t pid, std::uint64_t generation) const {
  cs_python_process process{};
  const int map = ::bpf_map__fd(processes_);
  if (::bpf_map_lookup_elem(map, &pid, &process) != 0) return false;
  process.generation = generation;
  return ::bpf_map_update_elem(map, &pid, &process, BPF_EXIST) == 0;
}

std::optional<UprobeSet> PythonWatch::attach(std::int32_t pid, const Probe& probe) const {
  UprobeSet set(pid);
  const Result<void> attached =
      set.attach(program_, UprobeLinkKind::kEntry, ProbeMechanism::kMulti, {&probe, 1});
  if (!attached || !set.failures().empty()) return std::nullopt;
  return set;
}

// Some kernels (6.6 to 6.9) serve of a process that a link is for the first thread only.
bool PythonWatch::counts_all_threads() {
  const Result<Probe> probe = probe_own_code(reinterpret_cast<const void*>(&free_nothing), 0);
  if (!probe) return false;
  const std::int32_t self = ::getpid();
  const int map = ::bpf_map__fd(processes_);
  cs_python_process process{};
  process.generation = 1;
  if (::bpf_map_update_elem(map, &self, &process, BPF_NOEXIST) != 0) return false;
  if (std::optional<UprobeSet> set = attach(self, *probe)) {
    std::thread(free_nothing).join();
    reaper_.close(set->release_links());
  }
  const bool counted = ::bpf_map_lookup_elem(map, &self, &process) == 0 && process.generation == 2;
  ::bpf_map_delete_elem(map, &self);
  return counted;
}

void PythonWatch::begin(std::int32_t pid, const Probe& destructor) {
  if (probes_.contains(pid)) return;
  if (!works_) works_ = counts_all_threads();
  if (!*works_) return;
  std::optional<UprobeSet> set = attach(pid, destructor);
  if (!set) return;
  if (set_generation(pid, next_generation_ << kGenerationBits)) ++next_generation_;
  probes_.emplace(pid, std::move(*set));
}

void PythonWatch::end(std::int32_t pid) {
  const auto probes = probes_.find(pid);
  if (probes == probes_.end()) return;
  reaper_.close(probes->second.release_links());
  probes_.erase(probes);
}

void PythonWatch::end_all() {
  std::vector<Fd> links;
  for (auto& [pid, probes] : probes_)
    for (Fd& link : probes.release_links()) links.push_back(std::move(link));
  probes_.clear();
  reaper_.close(std::move(links));
}

}  // namespace callscope
