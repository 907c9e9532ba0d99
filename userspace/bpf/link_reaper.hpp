// SPDX-License-Identifier: Apache-2.0
// Closes uprobe links without making the caller wait. Closing first takes the breakpoints out, one
// by one, and then waits, 40 ms at least: for the kernel's grace periods, and for every pending
// return probe of the machine to expire, which takes 100 ms after the last one was armed on its
// thread (kernel/events/uprobes.c, 6.13: each new one pushes the timer). On a thread with an open
// outer call and busy inner ones that never ends while probes are armed. Hence the waits of all
// links overlap, but not their work, for which the kernel has one lock. Destroying the reaper waits
// for all; arm no return probe any more before that. One thread calls.
#pragma once

#include <thread>
#include <vector>

#include "sys/fd.hpp"

namespace callscope {

class LinkReaper {
 public:
  LinkReaper() = default;
  LinkReaper(const LinkReaper&) = delete;
  LinkReaper& operator=(const LinkReaper&) = delete;
  ~LinkReaper() { wait(); }

  // One after the other; a link is begun when the one before it waits.
  void close(std::vector<Fd> links);
  // Returns when all that were given are closed.
  void wait();

 private:
  std::vector<std::thread> threads_;
};

}  // namespace callscope
