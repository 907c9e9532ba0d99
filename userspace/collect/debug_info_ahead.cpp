// SPDX-License-Identifier: Apache-2.0
#include "collect/debug_info_ahead.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace callscope {
namespace {

constexpr std::size_t kMaxModules = 4;
constexpr std::uint64_t kMaxBytes = 16U << 20;  // of one, unpacked
constexpr int kNiceness = 10;                   // the target goes first

}  // namespace

void DebugInfoAhead::want(CachedModule& module) {
  const std::lock_guard lock(mutex_);
  if (wanted_ == kMaxModules || opened_.contains(&module)) return;
  if (module.image() == nullptr) return;  // read here: later on only looked at
  ++wanted_;
  opened_.try_emplace(&module);
  waiting_.push_back(&module);
  if (!thread_.joinable())
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  changed_.notify_all();
}

std::optional<DebugInfo> DebugInfoAhead::take(const CachedModule& module) {
  std::unique_lock lock(mutex_);
  std::erase(waiting_, &module);
  changed_.wait(lock, [&] { return opening_ != &module; });
  const auto opened = opened_.find(&module);
  if (opened == opened_.end()) return std::nullopt;
  return std::exchange(opened->second, std::nullopt);
}

void DebugInfoAhead::run(const std::stop_token& stop) {
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) {
    CachedModule& module = *waiting_.front();
    waiting_.pop_front();
    opening_ = &module;
    lock.unlock();
    // What fails here fails again at the end, and is told then.
    Result<std::optional<DebugInfo>> opened = module.open_debug_info({}, kMaxBytes);
    lock.lock();
    opening_ = nullptr;
    if (opened) opened_[&module] = std::move(*opened);
    changed_.notify_all();
    if (stop.stop_requested()) return;
  }
}

}  // namespace callscope
