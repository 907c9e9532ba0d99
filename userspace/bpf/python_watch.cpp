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

// Each hits the probe, 1 to 2 us.
constexpr std::uint64_t kMostFreedPerSecond = 10'000;

[[gnu::noinline]] void free_nothing() { asm volatile(""); }

}  // namespace

bool PythonWatch::set_watched(std::int32_t pid, bool watched, std::uint64_t generation) const {
  cs_python_process process{};
  const int map = ::bpf_map__fd(processes_);
  if (::bpf_map_lookup_elem(map, &pid, &process) != 0) return false;
  process.generation = generation;
  process.watched = watched ? 1 : 0;
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
  if (::bpf_map_update_elem(map, &self, &process, BPF_NOEXIST) != 0) return false;
  if (std::optional<UprobeSet> set = attach(self, *probe)) {
    std::thread(free_nothing).join();
    reaper_.close(set->release_links());
  }
  const bool counted = ::bpf_map_lookup_elem(map, &self, &process) == 0 && process.generation == 1;
  ::bpf_map_delete_elem(map, &self);
  return counted;
}

void PythonWatch::begin(std::int32_t pid, const Probe& destructor) {
  if (watched_.contains(pid)) return;
  if (!works_) works_ = counts_all_threads();
  if (!*works_) return;
  std::optional<UprobeSet> set = attach(pid, destructor);
  if (!set) return;
  const std::uint64_t generation = next_generation_++ << kGenerationBits;
  if (set_watched(pid, true, generation))
    watched_.emplace(pid, Watched{std::move(*set), generation});
}

void PythonWatch::end(std::int32_t pid) {
  const auto watched = watched_.find(pid);
  if (watched == watched_.end()) return;
  reaper_.close(watched->second.probes.release_links());
  watched_.erase(watched);
}

void PythonWatch::review() {
  std::vector<std::int32_t> given_up;
  for (auto& [pid, watched] : watched_) {
    cs_python_process process{};
    if (::bpf_map_lookup_elem(::bpf_map__fd(processes_), &pid, &process) != 0) continue;
    const std::uint64_t freed = process.generation - watched.generation;
    watched.generation = process.generation;
    if (freed > kMostFreedPerSecond && set_watched(pid, false, process.generation))
      given_up.push_back(pid);
  }
  for (const std::int32_t pid : given_up) end(pid);
}

void PythonWatch::end_all() {
  std::vector<Fd> links;
  for (auto& [pid, watched] : watched_)
    for (Fd& link : watched.probes.release_links()) links.push_back(std::move(link));
  watched_.clear();
  reaper_.close(std::move(links));
}

}  // namespace callscope
