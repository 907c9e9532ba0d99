// SPDX-License-Identifier: Apache-2.0
// What every target program shares: the handshake with the test that attaches to it, the options
// --wait and --hold, and the printing of its own ground truth as lines "WHAT NAME VALUE".
// Header-only, C and C++; nothing here is probed (all names start with tgt_). A broken promise of a
// target ends it with status 1 and a message, so that a test never compares against a wrong truth.
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// A function to be probed: never inlined, cloned or reasoned about across the call.
#ifdef __clang__
#define PROBED __attribute__((noinline, optnone))
#else
#define PROBED __attribute__((noipa))
#endif

// Makes a leaf function set up a frame too: gcc leaves it out in spite of -fno-omit-frame-pointer,
// and a frame-pointer walk then misses the leaf's caller. Nothing in variants built without frames.
#ifdef TARGET_WITHOUT_FRAMES
#define TGT_KEEP_FRAME()
#else
#define TGT_KEEP_FRAME() __asm__ volatile("" ::"r"(__builtin_frame_address(0)))
#endif

struct tgt_options {
  int wait;  // print "ready" and wait for a byte or EOF on stdin before the work
  int hold;  // wait for EOF on stdin before the exit
};

static inline uint64_t tgt_clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t tgt_now_ns(void) { return tgt_clock_ns(CLOCK_MONOTONIC); }

static inline void tgt_spin_ns(uint64_t duration_ns) {
  const uint64_t end = tgt_now_ns() + duration_ns;
  while (tgt_now_ns() < end) {
  }
}

static inline void tgt_require(int condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "target: %s\n", what);
  _exit(1);
}

// Removes --wait and --hold from argv and returns them.
static inline struct tgt_options tgt_parse(int* argc, char** argv) {
  struct tgt_options options = {0, 0};
  int kept = 1;
  for (int i = 1; i < *argc; ++i) {
    if (strcmp(argv[i], "--wait") == 0) {
      options.wait = 1;
    } else if (strcmp(argv[i], "--hold") == 0) {
      options.hold = 1;
    } else {
      argv[kept++] = argv[i];
    }
  }
  argv[kept] = NULL;
  *argc = kept;
  return options;
}

// Value of "NAME NUMBER" in argv, or fallback.
static inline uint64_t tgt_number(int argc, char** argv, const char* name, uint64_t fallback) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (strcmp(argv[i], name) != 0) continue;
    char* end = NULL;
    const uint64_t value = strtoull(argv[i + 1], &end, 10);
    tgt_require(end != argv[i + 1] && *end == '\0', "an option has no number");
    return value;
  }
  return fallback;
}

static inline int tgt_flag(int argc, char** argv, const char* name) {
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], name) == 0) return 1;
  }
  return 0;
}

static inline void tgt_ready(struct tgt_options options) {
  char byte;
  if (!options.wait) return;
  puts("ready");
  fflush(stdout);
  tgt_require(read(STDIN_FILENO, &byte, 1) >= 0, "stdin cannot be read");
}

static inline void tgt_emit(const char* what, const char* name, uint64_t value) {
  printf("%s %s %" PRIu64 "\n", what, name, value);
}

// The last line of every target; all truth stands before it.
static inline void tgt_done(struct tgt_options options) {
  char byte;
  puts("done");
  fflush(stdout);
  while (options.hold && read(STDIN_FILENO, &byte, 1) > 0) {
  }
}
