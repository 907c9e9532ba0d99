// SPDX-License-Identifier: Apache-2.0
// A CPU burner for sampling tests: each worker spends 50, 30 and 20 % of its work in hot_50, hot_30
// and hot_20, nine frames below the thread's start. The same aligned loop burns in all three, and
// the CPU time of each is measured, so shares are known. Workers are threads, or with --fork
// children; --idle lets them sleep nine tenths of the time. Runs --seconds after the handshake.
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "target.h"

enum { kMaxWorkers = 64, kLoops = 200000 };

struct truth {
  _Atomic uint64_t cpu_ns[3];
  _Atomic uint64_t rounds;
};

static struct truth* truth;  // shared with the forked workers
static uint64_t end_ns;
static int idle;

// The instructions and their alignment are equal in each copy, so equal counts take equal time.
static inline __attribute__((always_inline)) void burn(uint64_t loops) {
  TGT_KEEP_FRAME();
  __asm__ volatile(
      ".p2align 6\n"
      "1: dec %0\n"
      "jnz 1b\n"
      : "+r"(loops)
      :
      : "cc");
}

PROBED void hot_50(void) { burn(5 * kLoops); }
PROBED void hot_30(void) { burn(3 * kLoops); }
PROBED void hot_20(void) { burn(2 * kLoops); }

static void timed(void (*function)(void), int index) {
  const uint64_t start = tgt_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  function();
  atomic_fetch_add(&truth->cpu_ns[index], tgt_clock_ns(CLOCK_THREAD_CPUTIME_ID) - start);
}

PROBED void chain_7(void) {
  timed(hot_50, 0);
  timed(hot_30, 1);
  timed(hot_20, 2);
  atomic_fetch_add(&truth->rounds, 1);
}

#define LINK(name, next)   \
  PROBED void name(void) { \
    next();                \
    __asm__ volatile("");  \
  }
LINK(chain_6, chain_7)
LINK(chain_5, chain_6)
LINK(chain_4, chain_5)
LINK(chain_3, chain_4)
LINK(chain_2, chain_3)
LINK(chain_1, chain_2)

PROBED void* worker(void* unused) {
  do {
    const uint64_t start = tgt_now_ns();
    chain_1();
    const uint64_t pause_ns = 9 * (tgt_now_ns() - start);
    const struct timespec pause = {(time_t)(pause_ns / 1000000000u),
                                   (long)(pause_ns % 1000000000u)};
    if (idle) nanosleep(&pause, NULL);
  } while (tgt_now_ns() < end_ns);
  return unused;
}

static void run_threads(uint64_t workers) {
  static pthread_t threads[kMaxWorkers];
  for (uint64_t i = 0; i < workers; ++i) {
    tgt_require(pthread_create(&threads[i], NULL, worker, NULL) == 0, "no thread could be made");
  }
  for (uint64_t i = 0; i < workers; ++i) pthread_join(threads[i], NULL);
}

// Each byte on stdin runs that many rounds and prints their time, so that a bench can alternate.
static void run_windows(uint64_t rounds) {
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
    const uint64_t start = tgt_now_ns();
    for (uint64_t i = 0; i < rounds; ++i) chain_1();
    printf("ns_per_round %" PRIu64 "\n", (tgt_now_ns() - start) / rounds);
    fflush(stdout);
  }
}

static void run_children(uint64_t workers) {
  for (uint64_t i = 0; i < workers; ++i) {
    const pid_t pid = fork();
    tgt_require(pid >= 0, "no child could be made");
    if (pid == 0) {
      worker(NULL);
      _exit(0);
    }
  }
  for (uint64_t i = 0; i < workers; ++i) {
    int status = 0;
    tgt_require(wait(&status) > 0 && status == 0, "a child did not end well");
  }
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t workers = tgt_number(argc, argv, "--workers", 2);
  const uint64_t run_ms = tgt_number(argc, argv, "--ms", 0);
  const uint64_t seconds = tgt_number(argc, argv, "--seconds", 2);
  const char* const names[] = {"hot_50", "hot_30", "hot_20"};
  idle = tgt_flag(argc, argv, "--idle");
  truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  tgt_require(truth != MAP_FAILED && workers <= kMaxWorkers, "the workers cannot be set up");

  tgt_ready(options);
  end_ns = tgt_now_ns() + (run_ms ? run_ms * 1000000u : seconds * 1000000000u);
  const uint64_t window_rounds = tgt_number(argc, argv, "--window-rounds", 0);
  if (window_rounds > 0) {
    run_windows(window_rounds);
  } else if (tgt_flag(argc, argv, "--fork")) {
    run_children(workers);
  } else {
    run_threads(workers);
  }

  const uint64_t sum = truth->cpu_ns[0] + truth->cpu_ns[1] + truth->cpu_ns[2];
  for (int i = 0; i < 3; ++i) {
    tgt_emit("cpu_ns", names[i], truth->cpu_ns[i]);
    tgt_emit("share_permille", names[i], truth->cpu_ns[i] * 1000 / (sum ? sum : 1));
    tgt_emit("calls", names[i], truth->rounds);
  }
  tgt_done(options);
  return 0;
}
