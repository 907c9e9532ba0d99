// SPDX-License-Identifier: Apache-2.0
// Threads that compute and sleep in functions of six arguments, each fourth round for long, the
// others for a moment: wait_both calls wait_compute, then wait_sleep. With --contend they share one
// CPU instead and only compute, so that each waits for it about half of the time. Truth: of each
// call "tid_ns FUNCTION#TID#NUMBER", its whole time; of each function its calls and, over all of
// them, its whole time "wall_ns" and its time on a CPU "cpu_ns", as the thread's clocks tell.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "target.h"

enum {
  kThreads = 2,
  kMaxRounds = 256,
  kLongNs = 15000000,
  kMomentNs = 5000,
  kContendNs = 60000000
};

struct series {
  const char* name;
  _Atomic uint64_t calls, wall_ns, cpu_ns;
  uint64_t call_ns[kThreads][kMaxRounds];
};

static struct series computing = {.name = "wait_compute"};
static struct series sleeping = {.name = "wait_sleep"};
static struct series both = {.name = "wait_both"};
static uint64_t rounds;
static int contend;
static pid_t tids[kThreads];
static pthread_barrier_t start_line;

struct clocks {
  uint64_t wall_ns, cpu_ns;
};

static struct clocks begin_call(void) {
  return (struct clocks){tgt_now_ns(), tgt_clock_ns(CLOCK_THREAD_CPUTIME_ID)};
}

// number: thread * 1000 + round
static void end_call(struct series* series, struct clocks start, uint64_t number) {
  const uint64_t cpu_ns = tgt_clock_ns(CLOCK_THREAD_CPUTIME_ID) - start.cpu_ns;
  const uint64_t wall_ns = tgt_now_ns() - start.wall_ns;
  series->call_ns[number / 1000][number % 1000] = wall_ns;
  atomic_fetch_add(&series->calls, 1);
  atomic_fetch_add(&series->wall_ns, wall_ns);
  atomic_fetch_add(&series->cpu_ns, cpu_ns);
}

PROBED uint64_t wait_compute(uint64_t number, uint64_t tid, uint64_t duration_ns, uint64_t twice,
                             uint64_t negated, uint64_t constant) {
  const struct clocks start = begin_call();
  tgt_spin_ns(duration_ns);
  end_call(&computing, start, number);
  return tid + twice + negated + constant;
}

PROBED uint64_t wait_sleep(uint64_t number, uint64_t tid, uint64_t duration_ns, uint64_t twice,
                           uint64_t negated, uint64_t constant) {
  const struct clocks start = begin_call();
  const struct timespec pause = {0, (long)duration_ns};
  nanosleep(&pause, NULL);
  end_call(&sleeping, start, number);
  return tid + twice + negated + constant;
}

PROBED uint64_t wait_both(uint64_t number, uint64_t tid, uint64_t duration_ns, uint64_t twice,
                          uint64_t negated, uint64_t constant) {
  const struct clocks start = begin_call();
  const uint64_t sum = wait_compute(number, tid, duration_ns, twice, negated, constant) +
                       wait_sleep(number, tid, duration_ns, twice, negated, constant);
  end_call(&both, start, number);
  return sum;
}

static void* run(void* argument) {
  const uint64_t index = *(const uint64_t*)argument;
  const uint64_t tid = (uint64_t)syscall(SYS_gettid);
  tids[index] = (pid_t)tid;
  pthread_barrier_wait(&start_line);
  for (uint64_t round = 0; round < rounds; ++round) {
    const uint64_t number = index * 1000 + round;
    const uint64_t duration_ns = contend ? kContendNs : round % 4 == 0 ? kLongNs : kMomentNs;
    const uint64_t sum =
        (contend ? wait_compute : wait_both)(number, tid, duration_ns, 2 * number, ~number, 12345);
    const uint64_t expected = tid + 2 * number + ~number + 12345;
    tgt_require(sum == (contend ? expected : 2 * expected), "an argument was changed");
  }
  return NULL;
}

// On the first CPU that we may use. Threads inherit it.
static void share_one_cpu(void) {
  cpu_set_t allowed, one;
  tgt_require(sched_getaffinity(0, sizeof(allowed), &allowed) == 0, "no CPU set");
  CPU_ZERO(&one);
  for (size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    CPU_SET(cpu, &one);
    break;
  }
  tgt_require(sched_setaffinity(0, sizeof(one), &one) == 0, "no CPU of our own");
}

static void report(const struct series* series) {
  tgt_emit("calls", series->name, series->calls);
  tgt_emit("wall_ns", series->name, series->wall_ns);
  tgt_emit("cpu_ns", series->name, series->cpu_ns);
  for (uint64_t index = 0; index < kThreads && series->calls > 0; ++index) {
    for (uint64_t round = 0; round < rounds; ++round) {
      char name[64];
      snprintf(name, sizeof(name), "%s#%d#%" PRIu64, series->name, (int)tids[index],
               index * 1000 + round);
      tgt_emit("tid_ns", name, series->call_ns[index][round]);
    }
  }
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  static uint64_t indices[kThreads];
  pthread_t threads[kThreads];
  rounds = tgt_number(argc, argv, "--rounds", 16);
  contend = tgt_flag(argc, argv, "--contend");
  tgt_require(rounds <= kMaxRounds, "too many rounds asked for");
  tgt_require(pthread_barrier_init(&start_line, NULL, kThreads) == 0, "no barrier");
  tgt_ready(options);
  if (contend) share_one_cpu();
  for (uint64_t i = 0; i < kThreads; ++i) {
    indices[i] = i;
    tgt_require(pthread_create(&threads[i], NULL, run, &indices[i]) == 0, "no thread");
  }
  for (uint64_t i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  report(&computing);
  report(&sleeping);
  report(&both);
  tgt_done(options);
  return 0;
}
