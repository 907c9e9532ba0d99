// SPDX-License-Identifier: Apache-2.0
// t_pause LIBRARY: how long a tool stops this program. LIBRARY is loaded, so that its functions can
// be probed. A spinning thread notes the longest time between two readings of the clock; a faulting
// one maps, touches and unmaps a page over and over and notes the slowest turn, for whatever holds
// the lock of the address space stops every thread that allocates. Each byte on stdin prints
// "pause_ns spin X" and "pause_ns fault Y" since the last one and begins anew; EOF ends.
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "target.h"

static _Atomic uint64_t spin_ns, fault_ns;
static _Atomic uint64_t spin_turns, fault_turns;
static _Atomic int ended;

static void note(_Atomic uint64_t* longest, uint64_t ns) {
  if (ns > atomic_load_explicit(longest, memory_order_relaxed)) atomic_store(longest, ns);
}

static void* spin(void* unused) {
  uint64_t before = tgt_now_ns();
  while (!atomic_load_explicit(&ended, memory_order_relaxed)) {
    const uint64_t now = tgt_now_ns();
    note(&spin_ns, now - before);
    before = now;
    atomic_fetch_add_explicit(&spin_turns, 1, memory_order_relaxed);
  }
  return unused;
}

static void* fault(void* unused) {
  while (!atomic_load_explicit(&ended, memory_order_relaxed)) {
    const uint64_t before = tgt_now_ns();
    char* const page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    tgt_require(page != MAP_FAILED, "no memory");
    *(volatile char*)page = 1;
    munmap(page, 4096);
    note(&fault_ns, tgt_now_ns() - before);
    atomic_fetch_add_explicit(&fault_turns, 1, memory_order_relaxed);
    // Most of the time asleep, so that it never competes with the spinning thread for a CPU.
    const struct timespec nap = {0, 200000};
    nanosleep(&nap, NULL);
  }
  return unused;
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  pthread_t threads[2];
  char byte;
  tgt_require(argc >= 2, "usage: t_pause LIBRARY");
  tgt_require(dlopen(argv[1], RTLD_NOW) != NULL, "the library cannot be loaded");
  tgt_ready(options);
  tgt_require(pthread_create(&threads[0], NULL, spin, NULL) == 0, "no thread");
  tgt_require(pthread_create(&threads[1], NULL, fault, NULL) == 0, "no thread");
  while (atomic_load(&spin_turns) == 0 || atomic_load(&fault_turns) == 0) sched_yield();
  while (read(STDIN_FILENO, &byte, 1) > 0) {
    tgt_emit("pause_ns", "spin", atomic_exchange(&spin_ns, 0));
    tgt_emit("pause_ns", "fault", atomic_exchange(&fault_ns, 0));
    fflush(stdout);
  }
  atomic_store(&ended, 1);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  tgt_emit("turns", "spin", spin_turns);
  tgt_emit("turns", "fault", fault_turns);
  tgt_done(options);
  return 0;
}
