// SPDX-License-Identifier: Apache-2.0
// Tells which processes have just mapped code: the perf side-band (PERF_RECORD_MMAP2) of all CPUs.
// Owns the events and their rings. One thread. Opening fails without the right to watch all
// processes.
#pragma once

#include <cstdint>
#include <vector>

#include "callscope/error.hpp"
#include "sys/fd.hpp"

namespace callscope {

class MappingEvents {
 public:
  static Result<MappingEvents> open();
  MappingEvents(MappingEvents&& other) noexcept = default;
  MappingEvents& operator=(MappingEvents&& other) noexcept = default;
  ~MappingEvents() = default;

  // Readable (poll, epoll) when there is something to drain.
  [[nodiscard]] int fd() const { return epoll_.get(); }
  // Processes that mapped executable memory since the last time, each once.
  std::vector<std::int32_t> drain();

 private:
  class Ring {
   public:
    static Result<Ring> open(int cpu);
    Ring(Ring&& other) noexcept;
    Ring& operator=(Ring&& other) noexcept;
    ~Ring();
    [[nodiscard]] int fd() const { return event_.get(); }
    void drain(std::vector<std::int32_t>& pids);

   private:
    Ring() = default;
    Fd event_;
    void* memory_ = nullptr;
  };
  MappingEvents() = default;

  std::vector<Ring> rings_;
  Fd epoll_;
};

}  // namespace callscope
