// SPDX-License-Identifier: Apache-2.0
// t_probecost FUNC CALLS [--threads N]: times windows of CALLS calls of a function that does next
// to nothing, so that the difference between windows with and without a probe is the cost of the
// probe. FUNC names the first instruction: cost_push, cost_nop, cost_endbr64 or cost_sub. Each byte
// on stdin runs one window, in all threads at once, and prints "ns_per_call X", their mean; EOF
// ends. With
// --windows N it runs N windows without asking. Built with -pg (PROBECOST_PG) it has cost_push
// alone, as C code whose entry calls the profiler that is compiled in.
#include <pthread.h>

#include "target.h"

enum { kMaxThreads = 64 };

#ifdef PROBECOST_PG
PROBED void cost_push(void) { __asm__ volatile(""); }
#else
#define EMPTY_FUNCTION(name, body)                                                             \
  __asm__(".text\n.p2align 4\n.globl " #name "\n.type " #name ", @function\n" #name            \
          ":\n.cfi_startproc\n" body "\nret\n.cfi_endproc\n.size " #name ", . - " #name "\n"); \
  void name(void)

EMPTY_FUNCTION(cost_leaf, "");
EMPTY_FUNCTION(cost_push,
               "push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset %rbp, -16\n"
               "mov %rsp, %rbp\npop %rbp\n.cfi_restore %rbp\n.cfi_def_cfa_offset 8");
EMPTY_FUNCTION(cost_nop, ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00");  // 5 bytes, as -fpatchable emits
// As a compiler begins a function with -fcf-protection.
EMPTY_FUNCTION(cost_endbr64,
               "endbr64\npush %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset %rbp, -16\n"
               "mov %rsp, %rbp\npop %rbp\n.cfi_restore %rbp\n.cfi_def_cfa_offset 8");
// As a compiler makes room for a call.
EMPTY_FUNCTION(cost_sub,
               "sub $8, %rsp\n.cfi_def_cfa_offset 16\ncall cost_leaf\nadd $8, %rsp\n"
               ".cfi_def_cfa_offset 8");
#endif

static const struct {
  const char* name;
  void (*function)(void);
} table[] = {
    {"cost_push", cost_push},
#ifndef PROBECOST_PG
    {"cost_nop", cost_nop},
    {"cost_endbr64", cost_endbr64},
    {"cost_sub", cost_sub},
#endif
};

static void (*function)(void);
static uint64_t calls;
static uint64_t elapsed_ns[kMaxThreads];
static pthread_barrier_t begin, end;

static void time_calls(uint64_t* out_ns) {
  const uint64_t start = tgt_now_ns();
  for (uint64_t i = 0; i < calls; ++i) function();
  *out_ns = tgt_now_ns() - start;
}

static void* worker(void* slot) {
  for (;;) {
    pthread_barrier_wait(&begin);
    time_calls(slot);
    pthread_barrier_wait(&end);
  }
  return NULL;
}

static void run_window(uint64_t threads) {
  uint64_t sum_ns = 0;
  pthread_barrier_wait(&begin);
  time_calls(&elapsed_ns[0]);
  pthread_barrier_wait(&end);
  for (uint64_t i = 0; i < threads; ++i) sum_ns += elapsed_ns[i];
  printf("ns_per_call %.2f\n", (double)sum_ns / (double)threads / (double)calls);
  fflush(stdout);
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t windows = tgt_number(argc, argv, "--windows", 0);
  const uint64_t threads = tgt_number(argc, argv, "--threads", 1);
  tgt_require(argc >= 3, "usage: t_probecost FUNC CALLS [--threads N] [--windows N]");
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); ++i) {
    if (strcmp(argv[1], table[i].name) == 0) function = table[i].function;
  }
  calls = tgt_number(argc, argv, argv[1], 0);
  tgt_require(function != NULL, "no such function");
  tgt_require(calls > 0, "CALLS must be a positive number");
  tgt_require(threads >= 1 && threads <= kMaxThreads, "1 to 64 threads");
  pthread_barrier_init(&begin, NULL, (unsigned)threads);
  pthread_barrier_init(&end, NULL, (unsigned)threads);
  for (uint64_t i = 1; i < threads; ++i) {
    pthread_t thread;
    tgt_require(pthread_create(&thread, NULL, worker, &elapsed_ns[i]) == 0, "no thread");
  }

  tgt_ready(options);
  uint64_t done = 0;
  char byte;
  while (windows > 0 ? done < windows : read(STDIN_FILENO, &byte, 1) > 0) {
    run_window(threads);
    ++done;
  }
  tgt_emit("calls", argv[1], done * calls * threads);
  tgt_done(options);
  return 0;
}
