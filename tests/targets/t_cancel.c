// SPDX-License-Identifier: Apache-2.0
// Threads that end below several probed calls, each with a clean-up handler (compiled as C++ by
// t_cancel_cpp.cpp also with a destructor): cancelled at a cancellation point, cancelled
// asynchronously while they call a probed function all the time, or by pthread_exit. A C program
// has no unwinder mapped until libc loads one for the first of them. Truth: calls and unwound of
// the frames, handlers and destructors run.
#include <pthread.h>
#include <stdatomic.h>

#include "target.h"

enum how { kDeferred, kAsynchronous, kExit, kWays };

static uint64_t frame_calls, leaf_calls, exit_calls, cleaned, destroyed;
static atomic_int is_inside;

#ifdef __cplusplus
namespace {
struct Guard {
  Guard() = default;
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { ++destroyed; }
};
}  // namespace
#define GUARD() const Guard guard
#else
#define GUARD() ++destroyed
#endif

static void clean(void* unused) {
  (void)unused;
  ++cleaned;
}

PROBED void cancel_leaf(void) { ++leaf_calls; }

PROBED int cancel_wait(void) {
  const struct timespec pause = {60, 0};
  atomic_store(&is_inside, 1);
  for (;;) nanosleep(&pause, NULL);
}

// The signal may hit any instruction here and in the leaf: neither holds anything to clean up.
PROBED int cancel_spin(void) {
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  atomic_store(&is_inside, 1);
  for (;;) cancel_leaf();
}

PROBED int exit_here(void) {
  ++exit_calls;
  pthread_exit((void*)"left");
}

PROBED int cancel_frame(int depth, enum how how) {
  ++frame_calls;
  int below = 0;
  GUARD();
  pthread_cleanup_push(clean, NULL);
  if (depth > 1) {
    below = cancel_frame(depth - 1, how);
  } else {
    below = how == kDeferred ? cancel_wait() : how == kAsynchronous ? cancel_spin() : exit_here();
  }
  pthread_cleanup_pop(0);
  return below + 1;
}

struct plan {
  int depth;
  enum how how;
};

static void* run(void* argument) {
  const struct plan* const plan = (const struct plan*)argument;
  cancel_frame(plan->depth, plan->how);
  return NULL;
}

static void end_one(int depth, enum how how) {
  struct plan plan = {depth, how};
  pthread_t thread;
  void* result = NULL;
  atomic_store(&is_inside, 0);
  tgt_require(pthread_create(&thread, NULL, run, &plan) == 0, "no thread could be made");
  if (how != kExit) {
    while (!atomic_load(&is_inside)) sched_yield();
    if (how == kAsynchronous) usleep(1000);
    tgt_require(pthread_cancel(thread) == 0, "a thread cannot be cancelled");
  }
  pthread_join(thread, &result);
  if (how == kExit) {
    tgt_require(result != NULL && strcmp((const char*)result, "left") == 0, "a wrong exit value");
  } else {
    tgt_require(result == PTHREAD_CANCELED, "a thread was not cancelled");
  }
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t rounds = tgt_number(argc, argv, "--rounds", 10);
  const int deepest = (int)tgt_number(argc, argv, "--deepest", 5);
  const uint64_t first = tgt_number(argc, argv, "--first", kDeferred);
  tgt_ready(options);
  for (uint64_t round = 0; round < rounds; ++round) {
    for (int depth = 1; depth <= deepest; ++depth) {
      for (uint64_t way = 0; way < kWays; ++way) end_one(depth, (enum how)((first + way) % kWays));
    }
  }
  tgt_require(cleaned == frame_calls, "a clean-up handler did not run");
  tgt_require(destroyed == frame_calls, "a destructor did not run");
  const uint64_t threads = rounds * (uint64_t)deepest;
  tgt_emit("calls", "cancel_frame", frame_calls);
  tgt_emit("unwound", "cancel_frame", frame_calls);
  tgt_emit("calls", "cancel_wait", threads);
  tgt_emit("unwound", "cancel_wait", threads);
  tgt_emit("calls", "cancel_spin", threads);
  tgt_emit("unwound", "cancel_spin", threads);
  tgt_emit("calls", "exit_here", exit_calls);
  tgt_emit("cleaned", "cancel_frame", cleaned);
  tgt_done(options);
  return 0;
}
