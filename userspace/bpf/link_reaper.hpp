// SPDX-License-Identifier: Apache-2.0
// Closes uprobe links without making the caller wait. Closing takes the breakpoints out at once,
// but then waits for every pending return probe of the machine to expire, which takes 100 ms after
// the last one was armed on its thread (kernel/events/uprobes.c, 6.13: each new one pushes the
// timer): on a thread with an open outer call and busy inner ones it never ends while probes are
// armed. Destroying the reaper waits for all; arm no return probe any more before that. One thread
// calls.
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

  // Each link by a thread of its own as far as that goes: all their probes leave at once, and their
  // waits overlap.
  void close(std::vector<Fd> links);
  // Returns when all that were given are closed.
  void wait();

 private:
  std::vector<std::thread> threads_;
};

}  // namespace callscope
