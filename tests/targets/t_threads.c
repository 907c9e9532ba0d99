// SPDX-License-Identifier: Apache-2.0
// Threads, created after the handshake (so while recorded), that call the same and different
// functions a known number of times. Optionally some of them end inside a call: --pthread-exit N
// (this makes libc load libgcc_s, an unwinder) or --sys-exit N (the bare system call).
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "target.h"

enum { kMaxThreads = 256, kPlain = 0, kPthreadExit = 1, kSysExit = 2 };

static _Atomic uint64_t shared_calls, even_calls, odd_calls, exit_calls;
static uint64_t calls_per_thread;

PROBED void shared_work(void) {
  TGT_KEEP_FRAME();
  atomic_fetch_add(&shared_calls, 1);
}

PROBED void even_work(void) {
  TGT_KEEP_FRAME();
  atomic_fetch_add(&even_calls, 1);
  shared_work();
}

PROBED void odd_work(void) {
  TGT_KEEP_FRAME();
  atomic_fetch_add(&odd_calls, 1);
  shared_work();
}

PROBED void exit_inside(int how) {
  atomic_fetch_add(&exit_calls, 1);
  shared_work();
  if (how == kPthreadExit) pthread_exit(NULL);
  syscall(SYS_exit, 0);
}

struct plan {
  int index;
  int end;
};

static void* run(void* argument) {
  const struct plan* plan = argument;
  for (uint64_t i = 0; i < calls_per_thread; ++i) {
    if (plan->index % 2 == 0) {
      even_work();
    } else {
      odd_work();
    }
  }
  if (plan->end != kPlain) exit_inside(plan->end);
  return NULL;
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t plain = tgt_number(argc, argv, "--threads", 4);
  const uint64_t by_pthread = tgt_number(argc, argv, "--pthread-exit", 0);
  const uint64_t by_syscall = tgt_number(argc, argv, "--sys-exit", 0);
  const uint64_t count = plain + by_pthread + by_syscall;
  static pthread_t threads[kMaxThreads];
  static struct plan plans[kMaxThreads];
  calls_per_thread = tgt_number(argc, argv, "--calls", 1000);
  tgt_require(count <= kMaxThreads, "too many threads asked for");

  tgt_ready(options);
  for (uint64_t i = 0; i < count; ++i) {
    plans[i].index = (int)i;
    plans[i].end = i < plain ? kPlain : i < plain + by_pthread ? kPthreadExit : kSysExit;
    tgt_require(pthread_create(&threads[i], NULL, run, &plans[i]) == 0, "no thread could be made");
  }
  for (uint64_t i = 0; i < count; ++i) pthread_join(threads[i], NULL);

  tgt_emit("calls", "shared_work", shared_calls);
  tgt_emit("calls", "even_work", even_calls);
  tgt_emit("calls", "odd_work", odd_calls);
  tgt_emit("calls", "exit_inside", exit_calls);
  tgt_emit("rets", "exit_inside", 0);
  tgt_done(options);
  return 0;
}
