// SPDX-License-Identifier: Apache-2.0
// Opens debug information while the recording runs, in a thread of low priority: unpacking it is
// most of what the end of a short recording would wait for. Of few modules, none of them large. The
// modules belong to the Symbolizer, which must outlive it. To be used by one thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "symbols/module_cache.hpp"

namespace callscope {

class DebugInfoAhead {
 public:
  // No effect if it was called with the module before.
  void want(CachedModule& module);
  // Hands it over, once, if it was opened; waits while that is under way, for nothing else.
  // Nothing: the caller may open it himself.
  std::optional<DebugInfo> take(const CachedModule& module);

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;  // of all that is below, but for the thread
  std::condition_variable_any changed_;
  std::deque<CachedModule*> waiting_;
  std::map<const CachedModule*, std::optional<DebugInfo>> opened_;  // nothing: there is none
  std::size_t wanted_ = 0;
  const CachedModule* opening_ = nullptr;
  std::jthread thread_;  // started with the first module; stopped and joined first
};

}  // namespace callscope
