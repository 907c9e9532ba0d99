// SPDX-License-Identifier: Apache-2.0
#include "collect/debug_info_ahead.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "symbols/source_frames.hpp"
#include "sys/clock.hpp"

namespace callscope {
namespace {

constexpr std::uint64_t kMaxBytes = 32U << 20;  // of all, unpacked
constexpr std::uint64_t kMaxLookNs = 1'000'000'000;
constexpr int kNiceness = 10;  // the target goes first

}  // namespace

void DebugInfoAhead::look(const Symbolizer& symbolizer) {
  const std::size_t files = symbolizer.elf_file_count();
  if (std::exchange(files_, files) == files) return;
  for (const Symbolizer::ElfFrames& frames : symbolizer.elf_frames()) want(frames);
}

void DebugInfoAhead::want(const Symbolizer::ElfFrames& frames) {
  CachedModule& module = *frames.file;
  const std::lock_guard lock(mutex_);
  if (opened_.contains(&module)) return;
  if (module.image() == nullptr) return;  // read here: later on only looked at
  Job job{&module, {}};
  for (const Symbolizer::ElfFrame& frame : frames.frames) job.addrs.push_back(frame.vaddr);
  std::ranges::sort(job.addrs);
  const auto doubles = std::ranges::unique(job.addrs);
  job.addrs.erase(doubles.begin(), doubles.end());
  opened_.try_emplace(&module);
  waiting_.push_back(std::move(job));
  if (!thread_.joinable())
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  changed_.notify_all();
}

std::optional<DebugInfo> DebugInfoAhead::take(const CachedModule& module) {
  std::unique_lock lock(mutex_);
  std::erase_if(waiting_, [&](const Job& job) { return job.module == &module; });
  changed_.wait(lock, [&] { return opening_ != &module; });
  const auto opened = opened_.find(&module);
  if (opened == opened_.end()) return std::nullopt;
  return std::exchange(opened->second, std::nullopt);
}

void DebugInfoAhead::run(const std::stop_token& stop) {
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
  std::uint64_t bytes_left = kMaxBytes;
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) {
    const Job job = std::move(waiting_.front());
    waiting_.pop_front();
    opening_ = job.module;
    lock.unlock();
    // What fails here fails again at the end, and is told then.
    Result<std::optional<DebugInfo>> opened = job.module->open_debug_info({}, bytes_left);
    // libdw keeps what it reads.
    if (opened && *opened) {
      const DwarfFile& dwarf = (*opened)->dwarf();
      bytes_left -= dwarf.bytes();
      find_source_frames(dwarf, job.addrs, monotonic_ns() + kMaxLookNs,
                         [](std::uint64_t, const SourceFrames&) {});
    }
    lock.lock();
    opening_ = nullptr;
    if (opened) opened_[job.module] = std::move(*opened);
    changed_.notify_all();
    if (stop.stop_requested()) return;
  }
}

}  // namespace callscope
