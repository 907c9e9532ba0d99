// SPDX-License-Identifier: Apache-2.0
// Threads that compute and check known values until EOF on stdin: two never rest, two sleep in the
// middle of nested calls, one stays in a function of libc that calls back all the time, one starts
// and joins short threads; with --fork a child does the same. Their functions begin with every kind
// of instruction that uprobes treat differently. Prints "child PID", then at the end how many
// values were wrong.
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "target.h"

static atomic_int stopping;
static _Atomic uint64_t wrong, rounds;

// A function in assembly language: its first instruction, then the rest, which returns rdi + 1.
#define PLUS_ONE(name, first, rest)                                                             \
  __asm__(".text\n.p2align 4\n.globl " #name "\n.type " #name ", @function\n" #name ":\n" first \
          "\n" rest "\n.size " #name ", . - " #name "\n");                                      \
  uint64_t name(uint64_t value)

PLUS_ONE(steady_nop, ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00", "lea 1(%rdi), %rax\nret");
PLUS_ONE(steady_endbr64, "endbr64", "lea 1(%rdi), %rax\nret");
PLUS_ONE(steady_sub, "sub $8, %rsp", "lea 1(%rdi), %rax\nadd $8, %rsp\nret");
PLUS_ONE(steady_rip, "mov steady_one(%rip), %rax", "add %rdi, %rax\nret");
PLUS_ONE(steady_jump, "jmp steady_sub", "");
PLUS_ONE(steady_call, "call steady_nop", "ret");
PLUS_ONE(steady_branch, "jrcxz 1f", "1: test %rdi, %rdi\njs 2f\n2: lea 1(%rdi), %rax\nret");
__asm__(".section .rodata\n.p2align 3\nsteady_one: .quad 1\n.text\n");

PROBED uint64_t steady_recurse(uint64_t depth) {
  if (depth == 0) return 0;
  uint64_t below = steady_recurse(depth - 1);
  __asm__ volatile("" : "+r"(below));  // else the compiler makes a loop of it
  return below + 1;
}

PROBED int steady_compare(const void* left, const void* right) {
  const int a = *(const int*)left;
  const int b = *(const int*)right;
  return a < b ? -1 : a > b;
}

PROBED void steady_sleep(uint64_t nanoseconds) {
  const struct timespec pause = {0, (long)nanoseconds};
  nanosleep(&pause, NULL);
  __asm__ volatile("");
}

PROBED uint64_t steady_round(uint64_t value, uint64_t sleep_ns) {
  int values[] = {5, 2, 9, 1};
  uint64_t sum = steady_nop(value) + steady_endbr64(value) + steady_sub(value) + steady_rip(value) +
                 steady_jump(value) + steady_call(value) + steady_branch(value) +
                 steady_recurse(10);
  if (sleep_ns > 0) steady_sleep(sleep_ns);
  qsort(values, 4, sizeof(values[0]), steady_compare);
  for (int i = 0; i < 4; ++i) sum = sum * 10 + (uint64_t)values[i];
  return sum;
}

static void check_round(uint64_t value, uint64_t sleep_ns) {
  const uint64_t expected = (7 * (value + 1) + 10) * 10000 + 1259;
  if (steady_round(value, sleep_ns) != expected) atomic_fetch_add(&wrong, 1);
  atomic_fetch_add(&rounds, 1);
}

static void* work(void* argument) {
  const uint64_t sleep_ns = *(const uint64_t*)argument;
  uint64_t i = 0;
  do {
    check_round(i++ % 1000, sleep_ns);
  } while (!atomic_load(&stopping));
  return NULL;
}

PROBED int steady_search(const void* key, const void* unused) {
  (void)unused;
  steady_sleep(200000);
  check_round(*(const uint64_t*)key, 0);
  return atomic_load(&stopping) ? 0 : 1;
}

// lfind() returns when the comparison finds what it looks for: at the end.
static void* search(void* unused) {
  static uint64_t key = 7;
  size_t count = SIZE_MAX;
  lfind(&key, &key, &count, 0, steady_search);
  return unused;
}

static void* work_once(void* unused) {
  check_round(7, 0);
  return unused;
}

static void* start_threads(void* unused) {
  while (!atomic_load(&stopping)) {
    pthread_t thread;
    tgt_require(pthread_create(&thread, NULL, work_once, NULL) == 0, "no thread could be made");
    pthread_join(thread, NULL);
    steady_sleep(500000);
  }
  return unused;
}

static void work_until_eof(void) {
  static const uint64_t sleeps_ns[] = {0, 0, 300000, 30000000};
  enum { kWorkers = sizeof(sleeps_ns) / sizeof(sleeps_ns[0]), kThreads = kWorkers + 2 };
  pthread_t threads[kThreads];
  char byte;
  for (int i = 0; i < kWorkers; ++i) {
    tgt_require(pthread_create(&threads[i], NULL, work, (void*)&sleeps_ns[i]) == 0,
                "no thread could be made");
  }
  tgt_require(pthread_create(&threads[kWorkers], NULL, start_threads, NULL) == 0 &&
                  pthread_create(&threads[kWorkers + 1], NULL, search, NULL) == 0,
              "no thread could be made");
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  atomic_store(&stopping, 1);
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
}

// The child is born inside of a probed call and returns from it.
PROBED pid_t steady_fork(void) {
  const pid_t child = fork();
  __asm__ volatile("");
  return child;
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const int forks = tgt_flag(argc, argv, "--fork");
  int status = 0;
  tgt_ready(options);
  const pid_t child = forks ? steady_fork() : -1;
  if (child > 0) tgt_emit("child", "pid", (uint64_t)child);
  if (child != 0) {
    puts("working");
    fflush(stdout);
  }
  work_until_eof();
  if (child == 0) _exit(wrong == 0 && rounds > 0 ? 0 : 1);
  if (child > 0) tgt_require(waitpid(child, &status, 0) == child, "the child is gone");
  tgt_emit("status", "child", (uint64_t)status);
  tgt_emit("wrong", "all", wrong);
  tgt_emit("worked", "all", rounds > 0);
  tgt_done((struct tgt_options){0, 0});
  return 0;
}
