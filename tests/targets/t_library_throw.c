// SPDX-License-Identifier: Apache-2.0
// t_library_throw LIBRARY: a C program through whose frames the exceptions of a C++ library pass:
// thrown there, through callbacks here and calls there in turn, caught there. The library is mapped
// after the handshake, two probed calls deep and an instant before it throws, or before with
// --early. With --fork a child that is born after the handshake does all that, and there is no
// truth but its status (not built WITHOUT_FORK, which a program that never forks is). Truth: calls,
// normal returns and unwound of the program's functions and, with --early, of the library's.
#include <dlfcn.h>
#include <sys/wait.h>
#include <time.h>

#include "target.h"

static uint64_t top_calls, frame_calls, frame_rets, pass_calls, pass_rets, throws;
static int failing;
static const char* library_path;

static struct {
  int (*throw_now)(int);
  int (*pass)(int (*)(int), int);
  int (*catch_all)(int (*)(int), int);
  uint64_t (*destroyed)(void);
} library;

PROBED int bounce_load(void) {
  void* const handle = dlopen(library_path, RTLD_NOW);
  tgt_require(handle != NULL, "the library cannot be loaded");
  *(void**)&library.throw_now = dlsym(handle, "thrower_throw");
  *(void**)&library.pass = dlsym(handle, "thrower_pass");
  *(void**)&library.catch_all = dlsym(handle, "thrower_catch");
  *(void**)&library.destroyed = dlsym(handle, "thrower_destroyed");
  tgt_require(library.throw_now && library.pass && library.catch_all && library.destroyed,
              "the library lacks a function");
  return 1;
}

PROBED int bounce_frame(int depth) {
  ++frame_calls;
  int below = 0;
  if (depth <= 1) {
    below = failing ? library.throw_now(7) : 0;
  } else if (depth % 2 == 0) {
    ++pass_calls;
    below = library.pass(bounce_frame, depth - 1);
    ++pass_rets;
  } else {
    below = bounce_frame(depth - 1);
  }
  ++frame_rets;
  return below + 1;
}

PROBED int bounce_top(int depth, int fail) {
  ++top_calls;
  if (library.throw_now == NULL) bounce_load();
  failing = fail;
  throws += (uint64_t)fail;
  const int result = library.catch_all(bounce_frame, depth);
  __asm__ volatile("");  // else this call would be a jump
  return result;
}

static void run(uint64_t rounds, int deepest) {
  for (uint64_t round = 0; round < rounds; ++round) {
    for (int depth = 1; depth <= deepest; ++depth) {
      const int fail = round % 2 == 0;
      const int result = bounce_top(depth, fail);
      tgt_require(result == (fail ? -7 : depth), "an exception went astray");
    }
  }
  tgt_require(library.destroyed() == pass_calls, "a destructor did not run");
}

#ifdef WITHOUT_FORK
static pid_t fork_child(void) { return -1; }
#else
static pid_t fork_child(void) { return fork(); }
#endif

static void run_in_child(uint64_t rounds, int deepest) {
  int status = 0;
  const pid_t child = fork_child();
  tgt_require(child >= 0, "no child could be made");
  if (child == 0) {
    run(rounds, deepest);
    _exit(0);
  }
  tgt_require(waitpid(child, &status, 0) == child, "the child is gone");
  tgt_emit("status", "child", (uint64_t)status);
}

static void emit_counts(int early) {
  tgt_emit("calls", "bounce_top", top_calls);
  tgt_emit("rets", "bounce_top", top_calls);
  tgt_emit("calls", "bounce_frame", frame_calls);
  tgt_emit("rets", "bounce_frame", frame_rets);
  tgt_emit("unwound", "bounce_frame", frame_calls - frame_rets);
  if (!early) return;
  tgt_emit("calls", "thrower_pass", pass_calls);
  tgt_emit("rets", "thrower_pass", pass_rets);
  tgt_emit("unwound", "thrower_pass", pass_calls - pass_rets);
  tgt_emit("calls", "thrower_catch", top_calls);
  tgt_emit("rets", "thrower_catch", top_calls);
  tgt_emit("calls", "thrower_throw", throws);
  tgt_emit("unwound", "thrower_throw", throws);
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t rounds = tgt_number(argc, argv, "--rounds", 20);
  const int deepest = (int)tgt_number(argc, argv, "--deepest", 12);
  const int early = tgt_flag(argc, argv, "--early");
  tgt_require(argc >= 2, "usage: t_library_throw LIBRARY [--early] [--fork]");
  library_path = argv[1];
  if (early) {
    bounce_load();
    // Time to probe it: a launched program waits for no handshake, and is over in 30 ms.
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
  }
  tgt_ready(options);
  if (tgt_flag(argc, argv, "--fork")) {
    run_in_child(rounds, deepest);
  } else {
    run(rounds, deepest);
    emit_counts(early);
  }
  tgt_done(options);
  return 0;
}
