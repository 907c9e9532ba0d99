// SPDX-License-Identifier: Apache-2.0
// Work whose begin and end are two functions: jobs that one thread submits and others finish, told
// apart by their id, and steps that begin and end on one thread. Some jobs are submitted twice,
// some finished without having been submitted, some never finished; some threads end inside of a
// step. Truth: begun, finished, restarted, unmatched, open, abandoned by span, and the time between
// both.
#include <pthread.h>
#include <stdatomic.h>

#include "target.h"

enum { kMaxJobs = 4096, kMaxWorkers = 16 };

static uint64_t g_jobs, g_workers, g_steps, g_twice, g_strays, g_lost_ids, g_quitters;
static uint64_t g_pause_ns, g_tail_ns;
static uint64_t g_submit_ns[kMaxJobs];
static _Atomic uint64_t g_next, g_sum_ns, g_steps_done, g_clobber;

PROBED void job_submit(uint64_t id) { g_submit_ns[id % kMaxJobs] = tgt_now_ns(); }

PROBED static void job_clobber(uint64_t a, uint64_t b) { atomic_fetch_add(&g_clobber, a ^ b); }

// Its argument is not in its register any more when it returns.
PROBED uint64_t job_finish(uint64_t id) {
  const uint64_t took_ns = tgt_now_ns() - g_submit_ns[id % kMaxJobs];
  if (g_tail_ns > 0) tgt_spin_ns(g_tail_ns);
  job_clobber(took_ns, id);
  return took_ns;
}

PROBED void step_enter(uint64_t number) { job_clobber(number, 1); }
PROBED void step_leave(uint64_t number) { job_clobber(number, 2); }

static void tgt_pause(void) {
  const struct timespec pause = {0, (long)g_pause_ns};
  nanosleep(&pause, NULL);
}

static void* tgt_worker(void* unused) {
  (void)unused;
  step_leave(0);  // a step that was never entered
  for (uint64_t i = 0; i < g_steps; ++i) {
    step_enter(i);
    atomic_fetch_add(&g_steps_done, 1);
    step_leave(i);
  }
  for (;;) {
    const uint64_t id = atomic_fetch_add(&g_next, 1);
    if (id >= g_jobs) return NULL;
    tgt_pause();
    atomic_fetch_add(&g_sum_ns, job_finish(id));
  }
}

static void* tgt_quitter(void* unused) {
  (void)unused;
  step_enter(1);
  return NULL;
}

static void tgt_run_threads(uint64_t count, void* (*body)(void*)) {
  pthread_t threads[kMaxWorkers];
  for (uint64_t i = 0; i < count; ++i)
    tgt_require(pthread_create(&threads[i], NULL, body, NULL) == 0, "no thread");
  for (uint64_t i = 0; i < count; ++i) pthread_join(threads[i], NULL);
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  g_jobs = tgt_number(argc, argv, "--jobs", 200);
  g_workers = tgt_number(argc, argv, "--workers", 4);
  g_steps = tgt_number(argc, argv, "--steps", 100);
  g_twice = tgt_number(argc, argv, "--twice", 7);
  g_strays = tgt_number(argc, argv, "--strays", 5);
  g_lost_ids = tgt_number(argc, argv, "--left-open", 3);
  g_quitters = tgt_number(argc, argv, "--quitters", 2);
  g_pause_ns = tgt_number(argc, argv, "--pause-us", 1000) * 1000;
  g_tail_ns = tgt_number(argc, argv, "--tail-us", 0) * 1000;
  tgt_require(g_jobs + g_twice + g_strays + g_lost_ids <= kMaxJobs && g_workers <= kMaxWorkers &&
                  g_quitters <= kMaxWorkers && g_pause_ns < 1000000000,
              "a number is too large");
  tgt_ready(options);
  for (uint64_t id = 0; id < g_jobs; ++id) job_submit(id);
  tgt_run_threads(g_workers, tgt_worker);
  uint64_t id = g_jobs;
  for (uint64_t i = 0; i < g_twice; ++i, ++id) {
    job_submit(id);
    job_submit(id);
    atomic_fetch_add(&g_sum_ns, job_finish(id));
  }
  for (uint64_t i = 0; i < g_strays; ++i, ++id) (void)job_finish(id);
  for (uint64_t i = 0; i < g_lost_ids; ++i, ++id) job_submit(id);
  tgt_run_threads(g_quitters, tgt_quitter);
  tgt_emit("begun", "job", g_jobs + 2 * g_twice + g_lost_ids);
  tgt_emit("finished", "job", g_jobs + g_twice);
  tgt_emit("restarted", "job", g_twice);
  tgt_emit("unmatched", "job", g_strays);
  tgt_emit("open", "job", g_lost_ids);
  tgt_emit("abandoned", "job", 0);
  tgt_emit("sum_ns", "job", g_sum_ns);
  tgt_emit("begun", "step", g_steps_done + g_quitters);
  tgt_emit("finished", "step", g_steps_done);
  tgt_emit("restarted", "step", 0);
  tgt_emit("unmatched", "step", g_workers);
  tgt_emit("open", "step", 0);
  tgt_emit("abandoned", "step", g_quitters);
  tgt_done(options);
  return 0;
}
