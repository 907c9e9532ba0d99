// SPDX-License-Identifier: Apache-2.0
// What processes do that changes their code: the perf side-band of all CPUs, for all processes of
// the machine. Owns the events and their rings. One thread. Opening fails without the right to
// watch all processes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "callscope/error.hpp"
#include "sys/fd.hpp"

namespace callscope {

struct ProcessEvent {
  enum class Kind : std::uint8_t {
    kFork,    // pid is new, other its parent
    kExec,    // pid has another program
    kMapped,  // pid mapped executable memory
    kExit,    // the first thread of pid ended
    kLost,    // events of any kind and process were lost
  };
  Kind kind = Kind::kLost;
  std::int32_t pid = 0;
  std::int32_t other = 0;
  std::uint64_t t_ns = 0;  // clock of perf; kLost: 0
  // kMapped: what, as the kernel says it of executable memory.
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t file_off = 0;
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  std::uint64_t inode = 0;
  std::uint32_t protection = 0;  // PROT_
  bool shared = false;
  std::string path;  // "//anon": memory without a file
};

class ProcessEvents {
 public:
  static Result<ProcessEvents> open();
  ProcessEvents(ProcessEvents&& other) noexcept = default;
  ProcessEvents& operator=(ProcessEvents&& other) noexcept = default;
  ~ProcessEvents() = default;

  // Readable (poll, epoll) when there is something to drain.
  [[nodiscard]] int fd() const { return epoll_.get(); }
  // What happened since the last time, in the order of time on all CPUs.
  std::vector<ProcessEvent> drain();

 private:
  class Ring {
   public:
    static Result<Ring> open(int cpu);
    Ring(Ring&& other) noexcept;
    Ring& operator=(Ring&& other) noexcept;
    ~Ring();
    [[nodiscard]] int fd() const { return event_.get(); }
    void drain(std::vector<ProcessEvent>& events);

   private:
    Ring() = default;
    Fd event_;
    void* memory_ = nullptr;
  };
  ProcessEvents() = default;

  std::vector<Ring> rings_;
  Fd epoll_;
};

}  // namespace callscope
