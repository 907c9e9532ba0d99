// SPDX-License-Identifier: Apache-2.0
// Opens debug information while the recording runs, in a thread of low priority: unpacking it, and
// libdw's first look at it, are most of what the end of a short recording would wait for. Bounded:
// what is large is left to the end. The modules belong to the Symbolizer, which must outlive it. To
// be used by one thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "symbols/module_cache.hpp"
#include "symbols/symbolizer.hpp"

namespace callscope {

class DebugInfoAhead {
 public:
  // Opens that of all modules with frames or probed functions, if it did not before. To be called
  // again and again.
  void look(const Symbolizer& symbolizer);
  // Hands it over, once, if it was opened; waits while that is under way, for nothing else.
  // Nothing: the caller may open it himself.
  std::optional<DebugInfo> take(const CachedModule& module);

 private:
  struct Job {
    CachedModule* module = nullptr;
    std::vector<std::uint64_t> addrs;  // ELF virtual ones that will be looked up, ascending
  };
  void want(const Symbolizer::ElfFrames& frames);
  void run(const std::stop_token& stop);

  std::size_t files_ = 0;  // that the symbolizer had when it was looked at
  std::mutex mutex_;       // of all that is below, but for the thread
  std::condition_variable_any changed_;
  std::deque<Job> waiting_;
  std::map<const CachedModule*, std::optional<DebugInfo>> opened_;  // nothing: there is none
  const CachedModule* opening_ = nullptr;
  std::jthread thread_;  // started with the first module; stopped and joined first
};

}  // namespace callscope
